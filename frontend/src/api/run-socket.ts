import type { RunFrame } from './types';

/** How the live connection is doing. */
export type SocketStatus = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'ended';

interface RunSocketOptions {
  url: (after: number) => string;
  /** The last event that has been taken in; asked anew for each connection. */
  cursor: () => number;
  onFrame: (frame: RunFrame) => void;
  onStatus: (status: SocketStatus) => void;
  /** The server says that this user may not watch. */
  onRefused: (code: number) => void;
}

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 15_000;
/** The server pings far more often; without any sign of life the connection is taken for dead. */
const SILENCE_MS = 45_000;
/** Close codes that trying again will not change: signed out, forbidden, unknown run. */
const REFUSALS = new Set([4401, 4403, 4404]);

/** A connection that comes back by itself and asks for what it missed. */
export class RunSocket {
  private socket: WebSocket | null = null;
  private retryTimer: number | undefined;
  private silenceTimer: number | undefined;
  private failures = 0;
  private isStopped = false;

  constructor(private readonly options: RunSocketOptions) {}

  start(): void {
    window.addEventListener('online', this.reconnectNow);
    window.addEventListener('offline', this.drop);
    this.options.onStatus('connecting');
    this.connect();
  }

  stop(): void {
    this.isStopped = true;
    window.removeEventListener('online', this.reconnectNow);
    window.removeEventListener('offline', this.drop);
    this.abandon();
  }

  private connect(): void {
    const socket = new WebSocket(this.options.url(this.options.cursor()));
    this.socket = socket;
    this.expectLife();
    socket.onmessage = (message: MessageEvent<string>) => {
      this.expectLife();
      this.failures = 0;
      this.options.onStatus('live');
      this.options.onFrame(JSON.parse(message.data) as RunFrame);
    };
    socket.onclose = ({ code }) => {
      this.handleClose(code);
    };
  }

  private handleClose(code: number): void {
    this.abandon();
    if (this.isStopped) return;
    if (REFUSALS.has(code)) {
      this.options.onStatus('ended');
      this.options.onRefused(code);
      return;
    }
    this.options.onStatus(navigator.onLine ? 'reconnecting' : 'offline');
    const delay = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.failures);
    this.failures += 1;
    // Spread out, so that a restarted server is not met by all browsers at once.
    this.retryTimer = window.setTimeout(this.reconnectNow, delay * (0.5 + Math.random() / 2));
  }

  private readonly reconnectNow = (): void => {
    this.abandon();
    if (!this.isStopped) this.connect();
  };

  private readonly drop = (): void => {
    this.handleClose(0);
  };

  private expectLife(): void {
    window.clearTimeout(this.silenceTimer);
    this.silenceTimer = window.setTimeout(this.drop, SILENCE_MS);
  }

  /** Forget the present connection; a late message of it is not heard any more. */
  private abandon(): void {
    window.clearTimeout(this.retryTimer);
    window.clearTimeout(this.silenceTimer);
    if (this.socket === null) return;
    this.socket.onmessage = null;
    this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }
}

export function runSocketUrl(id: string, after: number): string {
  const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${window.location.host}/ws/runs/${id}/?after=${after}`;
}
