/** Where a start tells people what it does. */
export type Console = {
  /** Begins a step; on a terminal its details replace each other on the same line. */
  begin(step: string): void;
  detail(text: string): void;
  /** Ends the step with its time. */
  end(): void;
  say(text: string): void;
};

/** Writes progress: one line per step, `detail` only on a terminal. */
export function createConsole(stream: NodeJS.WriteStream): Console {
  let step = '';
  let started = 0;
  const redraw = (text: string): void => {
    if (stream.isTTY) stream.write(`\r\u001b[K  ${text}`);
  };
  return {
    begin: (name) => {
      step = name;
      started = Date.now();
      if (stream.isTTY) redraw(`${step} …`);
      else stream.write(`  ${step} …\n`);
    },
    detail: (text) => redraw(`${step} … ${text}`),
    end: () => {
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      if (stream.isTTY) stream.write(`\r\u001b[K  ${step}: ${seconds} s\n`);
      step = '';
    },
    say: (text) => stream.write(`${stream.isTTY && step !== '' ? '\n' : ''}${text}\n`),
  };
}
