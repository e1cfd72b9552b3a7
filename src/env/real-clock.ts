import { TIMER_MAX_MS, type CancelTimer, type Clock } from '../core/env.ts';

/** The clock of the process. A timer never fires before `now` has reached its instant, and keeps no process alive. */
export function realClock(): Clock {
  return {
    now: () => performance.now(),
    wall: () => Date.now(),
    setTimer,
    defer: (run) => void setImmediate(run),
  };
}

function setTimer(fire: () => void, delayMs: number): CancelTimer {
  const delay = delayMs > 0 ? Math.min(delayMs, TIMER_MAX_MS) : 0;
  const due = performance.now() + delay;
  let timer = setTimeout(expire, delay).unref();

  // Platform timers count whole milliseconds and may run up to one early.
  function expire(): void {
    if (performance.now() < due) timer = setTimeout(expire, 1).unref();
    else fire();
  }

  return () => clearTimeout(timer);
}
