/** Who this node is. The private key may live elsewhere: only a signature is ever asked for. */
export interface Identity {
  /** Raw 32-byte Ed25519 public key. */
  readonly publicKey: Uint8Array;
  /** A 64-byte Ed25519 signature over `message`. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}
