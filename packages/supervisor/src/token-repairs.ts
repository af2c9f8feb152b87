/** How often hash-signer is asked; a probe is a request over loopback. */
const intervalMs = 1_000;

/** A signer process that died is back within a second; longer means that it can't come back by itself. */
const unreadyProbes = 3;

/**
 * Repairs the tokens when hash-signer stays unready: a signer process that is killed while SoftHSM rewrites its token
 * at a login leaves the token empty, and no new one can log in. What isn't damaged isn't touched, so asking for a
 * repair in vain does no harm; it is asked for once in `unreadyProbes` probes at most.
 */
export function startTokenRepairs(
  isReady: () => Promise<boolean>,
  repair: (signal: AbortSignal) => Promise<void>,
  onFailure: (error: unknown) => void,
): { stop(): Promise<void> } {
  const abort = new AbortController();
  let unready = 0;
  let running: Promise<void> = Promise.resolve();
  let isBusy = false;
  const probe = async (): Promise<void> => {
    unready = (await isReady()) ? 0 : unready + 1;
    if (unready < unreadyProbes || abort.signal.aborted) return;
    unready = 0;
    await repair(abort.signal);
  };
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    running = probe()
      .catch((error: unknown) => {
        if (!abort.signal.aborted) onFailure(error);
      })
      .finally(() => {
        isBusy = false;
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
