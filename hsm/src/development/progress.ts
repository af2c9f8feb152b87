/** A progress line: what runs and how it went. */
export type Progress = {
  readonly step: string;
  readonly state: 'running' | 'done' | 'skipped' | 'failed';
  readonly [detail: string]: string;
};

/** Takes progress lines as they come. */
export type ReportProgress = (progress: Progress) => void;
