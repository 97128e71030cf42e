import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeSocket } from '@/testing/fake-socket';
import { roundFinished } from '@/testing/fixtures';
import { RunSocket, type SocketStatus } from './run-socket';
import type { RunFrame } from './types';

let statuses: SocketStatus[];
let frames: RunFrame[];
let refusals: number[];
let cursor: number;
let socket: RunSocket;

beforeEach(() => {
  vi.useFakeTimers();
  statuses = [];
  frames = [];
  refusals = [];
  cursor = 4;
  socket = new RunSocket({
    url: (after) => `ws://test/?after=${after}`,
    cursor: () => cursor,
    onFrame: (frame) => frames.push(frame),
    onStatus: (status) => statuses.push(status),
    onRefused: (code) => refusals.push(code),
  });
  socket.start();
});

afterEach(() => {
  socket.stop();
  vi.useRealTimers();
});

it('asks for what follows the cursor, again after each drop', () => {
  expect(FakeSocket.latest.url).toBe('ws://test/?after=4');
  FakeSocket.latest.send({ type: 'events', events: [roundFinished(5, 2)] });
  cursor = 5;
  FakeSocket.latest.drop();
  expect(statuses.at(-1)).toBe('reconnecting');
  vi.advanceTimersByTime(1_000);
  expect(FakeSocket.all).toHaveLength(2);
  expect(FakeSocket.latest.url).toBe('ws://test/?after=5');
  FakeSocket.latest.send({ type: 'ping' });
  expect(statuses.at(-1)).toBe('live');
});

it('waits longer after each failure', () => {
  FakeSocket.latest.drop();
  vi.advanceTimersByTime(500);
  FakeSocket.latest.drop();
  vi.advanceTimersByTime(400);
  expect(FakeSocket.all).toHaveLength(2);
  vi.advanceTimersByTime(600);
  expect(FakeSocket.all).toHaveLength(3);
});

it('takes silence for a dropped connection', () => {
  FakeSocket.latest.send({ type: 'ping' });
  const first = FakeSocket.latest;
  vi.advanceTimersByTime(46_000);
  expect(first.isClosed).toBe(true);
  expect(FakeSocket.all.length).toBeGreaterThan(1);
});

it('does not come back when the server refuses', () => {
  FakeSocket.latest.drop(4404);
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.all).toHaveLength(1);
  expect(statuses.at(-1)).toBe('ended');
  expect(refusals).toEqual([4404]);
});

it('hears nothing more once it has been stopped', () => {
  const last = FakeSocket.latest;
  socket.stop();
  last.send({ type: 'ping' });
  expect(frames).toEqual([]);
  expect(last.isClosed).toBe(true);
});

it('comes back at once when the browser is online again', () => {
  FakeSocket.latest.drop();
  window.dispatchEvent(new Event('online'));
  expect(FakeSocket.all).toHaveLength(2);
});
