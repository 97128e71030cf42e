import { beforeEach, expect, it, vi } from 'vitest';
import { drawNever, drawSoon } from './draw-queue';

/** Frames come when the test says so, and drawing takes as long as it says. */
let now = 0;
let frames: FrameRequestCallback[] = [];

beforeEach(() => {
  now = 0;
  frames = [];
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  vi.stubGlobal('requestAnimationFrame', (frame: FrameRequestCallback) => frames.push(frame));
});

function nextFrame(): void {
  const due = frames;
  frames = [];
  for (const frame of due) frame(now);
}

it('draws as many per frame as there is time for, and the rest later', () => {
  const drawn: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    drawSoon({ name }, () => {
      drawn.push(name);
      now += 5;
    });
  }
  expect(drawn).toEqual([]);
  nextFrame();
  expect(drawn).toEqual(['a', 'b']);
  nextFrame();
  expect(drawn).toEqual(['a', 'b', 'c']);
  expect(frames).toEqual([]);
});

it('draws only the last of what a chart was asked for, and nothing for one that is gone', () => {
  const drawn: string[] = [];
  const [kept, gone] = [{}, {}];
  drawSoon(kept, () => drawn.push('old'));
  drawSoon(gone, () => drawn.push('gone'));
  drawSoon(kept, () => drawn.push('new'));
  drawNever(gone);
  nextFrame();
  expect(drawn).toEqual(['new']);
});
