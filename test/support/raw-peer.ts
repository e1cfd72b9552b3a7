import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../src/core/endpoint.ts';
import type { NodeInfo } from '../../src/core/node-info.ts';
import { ephemeralKeysFromSeed } from '../../src/crypto/ephemeral-keys.ts';
import { FrameOpener, FrameSealer, SEALED_FRAME_BYTES, sealedBytes } from '../../src/crypto/frames.ts';
import { deriveSessionKeys } from '../../src/crypto/session-keys.ts';
import { encodeDelimited } from '../../src/wire/delimited.ts';
import { encodeAuthSigMessage, encodeEphemeralMessage } from '../../src/wire/handshake-messages.ts';
import { encodeNodeInfo } from '../../src/wire/node-info-codec.ts';
import type { TestIdentity } from './nodes.ts';

/** The other end of a TCP connection, by hand: sends whatever it is told to, and never answers by itself. */
export class RawPeer {
  readonly socket: Socket;
  /** Resolves once the connection is over, however that came. */
  readonly over: Promise<void>;
  #received = Buffer.alloc(0);
  #plain = Buffer.alloc(0);
  #isOver = false;
  #stir: () => void = () => undefined;
  #sealer: FrameSealer | undefined;
  #opener: FrameOpener | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#stir();
    });
    socket.on('error', () => undefined);
    this.over = new Promise((resolve) => {
      const finish = (): void => {
        this.#isOver = true;
        this.#stir();
        resolve();
      };
      socket.on('end', finish);
      socket.on('close', finish);
    });
  }

  static async connect(endpoint: Endpoint): Promise<RawPeer> {
    const socket = connect({ host: endpoint.ip, port: endpoint.port, noDelay: true, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', resolve);
    });
    return new RawPeer(socket);
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Writes with nothing else in the same segment, as far as the system lets us. */
  async writeAlone(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => this.socket.write(bytes, () => setImmediate(resolve)));
  }

  /** The next bytes from the wire. Rejects when there will never be so many. */
  async read(bytes: number): Promise<Buffer> {
    while (this.#received.length < bytes) {
      if (this.#isOver)
        throw new Error(`the connection ended after ${this.#received.length} of ${bytes} bytes`);
      await new Promise<void>((resolve) => {
        this.#stir = resolve;
      });
    }
    const read = this.#received.subarray(0, bytes);
    this.#received = this.#received.subarray(bytes);
    return read;
  }

  /** Everything from the wire until its end. */
  async readAll(): Promise<Buffer> {
    await this.over;
    return this.#received;
  }

  /** Bytes that have arrived and were not read. */
  get unreadBytes(): number {
    return this.#received.length;
  }

  /** Goes through an honest handshake; packets follow. */
  async handshake(identity: TestIdentity, nodeInfo: NodeInfo): Promise<void> {
    const keys = ephemeralKeysFromSeed(identity.publicKey);
    this.write(encodeEphemeralMessage(keys.publicKey));
    const hello = await this.read(35);
    const session = deriveSessionKeys(keys, hello.subarray(3));
    this.#sealer = new FrameSealer(session.sendKey);
    this.#opener = new FrameOpener(session.recvKey);
    const signature = identity.sign(session.challenge) as Uint8Array;
    this.writePlain(encodeAuthSigMessage({ publicKey: identity.publicKey, signature }));
    await this.readPlain(103);
    this.writePlain(encodeDelimited(encodeNodeInfo(nodeInfo)));
    const [lengthLow, lengthHigh] = await this.readPlain(2);
    const isShort = lengthLow! < 0x80;
    await this.readPlain(isShort ? lengthLow! - 1 : (lengthLow! & 0x7f) + 128 * lengthHigh!);
  }

  /** Sealed frames of some plain bytes, in the order of sealing. */
  seal(bytes: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(sealedBytes(bytes.length));
    this.#sealer!.seal(bytes, 0, bytes.length, sealed, 0);
    return sealed;
  }

  writePlain(bytes: Uint8Array): void {
    this.write(this.seal(bytes));
  }

  /** The next plain bytes out of frames. Rejects when there will never be so many. */
  async readPlain(bytes: number): Promise<Buffer> {
    while (this.#plain.length < bytes) await this.readFrame();
    const read = this.#plain.subarray(0, bytes);
    this.#plain = this.#plain.subarray(bytes);
    return read;
  }

  /** Opens one more frame and returns how much was in it. */
  async readFrame(): Promise<number> {
    const out = Buffer.alloc(1024);
    const bytes = this.#opener!.open(await this.read(SEALED_FRAME_BYTES), 0, out, 0);
    this.#plain = Buffer.concat([this.#plain, out.subarray(0, bytes)]);
    return bytes;
  }

  /** Ends the sending side; what comes is still read. */
  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** A port that takes connections and leaves the rest to the test. */
export class RawListener {
  readonly endpoint: Endpoint;
  readonly #server: Server;
  readonly #peers: RawPeer[] = [];
  #stir: () => void = () => undefined;

  private constructor(server: Server, endpoint: Endpoint) {
    this.#server = server;
    this.endpoint = endpoint;
    server.on('connection', (socket) => {
      this.#peers.push(new RawPeer(socket));
      this.#stir();
    });
  }

  static async listen(port = 0): Promise<RawListener> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port }, resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new RawListener(server, { protocol: 'mconn', ip: '127.0.0.1', port: address.port, path: '' });
  }

  async accept(): Promise<RawPeer> {
    for (;;) {
      const peer = this.#peers.shift();
      if (peer !== undefined) return peer;
      await new Promise<void>((resolve) => {
        this.#stir = resolve;
      });
    }
  }

  close(): void {
    this.#server.close();
  }
}
