import { defineCodes } from '../code-definition.ts';

/** Codes of the development home. Nobody meets them over HTTP. */
export const homeCodes = defineCodes({
  home_options_invalid: { status: 500, title: 'The command line is not understood' },
  home_running: { status: 500, title: 'The home is already running' },
  home_not_ours: { status: 500, title: 'The folder is not a development home' },
  home_not_writable: { status: 500, title: 'The folder of the home can not be used' },
  home_disk_full: { status: 500, title: 'The disk of the home is full' },
  home_version_unknown: { status: 500, title: 'The home was made by another version' },
  home_port_fixed: { status: 500, title: 'The home has another port' },
  home_port_busy: { status: 500, title: 'The port is in use' },
  home_ceremony_failed: { status: 500, title: 'Keys or certificates could not be made' },
  home_service_failed: { status: 500, title: 'A service did not start' },
  home_sample_failed: { status: 500, title: 'The sample could not be sealed' },
});
