/** What others may know of this app without starting it. */
export { type TsaConfig, tsaConfigSchema } from './config.ts';
