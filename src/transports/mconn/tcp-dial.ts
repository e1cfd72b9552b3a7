import { connect, type Socket } from 'node:net';
import { P2PError } from '../../core/errors.ts';
import { abortReason } from '../connection-error.ts';
import { platformCode } from './platform-error.ts';

/**
 * Opens a TCP connection to an IP address.
 *
 * @throws the signal's own reason when it aborts; else P2PError `dial-failed` with the code of the platform as its
 * `reason`. The socket is destroyed in either case.
 */
export function dialTcp(ip: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortReason(signal));
      return;
    }
    const socket = connect({ host: ip, port, autoSelectFamily: false });
    const settle = (): void => {
      signal.removeEventListener('abort', abort);
      socket.removeListener('connect', succeed);
      socket.removeListener('error', fail);
    };
    const succeed = (): void => {
      settle();
      socket.pause();
      resolve(socket);
    };
    const fail = (cause: Error): void => {
      settle();
      const reason = platformCode(cause);
      reject(
        new P2PError('dial-failed', `cannot connect to ${ip} port ${port}: ${reason}`, { reason, cause }),
      );
    };
    const abort = (): void => {
      settle();
      socket.on('error', ignore);
      socket.destroy();
      reject(abortReason(signal));
    };
    socket.once('connect', succeed);
    socket.once('error', fail);
    signal.addEventListener('abort', abort);
  });
}

/** A socket that is being destroyed may still fail; nobody is left to tell. */
function ignore(): void {
  return;
}
