import type { RunFrame } from '@/api/types';

/** A websocket whose server is the test. */
export class FakeSocket {
  static all: FakeSocket[] = [];

  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  isClosed = false;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  static get latest(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (socket === undefined) throw new Error('No socket has been opened.');
    return socket;
  }

  close(): void {
    this.isClosed = true;
  }

  send(frame: RunFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  drop(code = 1006): void {
    this.onclose?.({ code });
  }
}
