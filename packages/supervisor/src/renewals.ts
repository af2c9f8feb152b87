/** CRLs live thirty days and TLS certificates a week: an hour is early enough for all, and cheap. */
const intervalMs = 3_600_000;

/** Repeats a renewal every hour; one that fails is told and tried again the next time. */
export function startRenewals(
  renew: (signal: AbortSignal) => Promise<void>,
  onFailure: (error: unknown) => void,
): { stop(): Promise<void> } {
  const abort = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running
      .then(() => renew(abort.signal))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) onFailure(error);
      });
  }, intervalMs);
  return {
    stop: async () => {
      clearInterval(timer);
      abort.abort();
      await running;
    },
  };
}
