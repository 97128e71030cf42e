export const charts = {
  charts: {
    exportOf: (name: string) => `Export ${name}`,
    png: 'Picture (PNG)',
    svg: 'Drawing (SVG)',
    csv: 'Numbers (CSV)',
    axis: 'Horizontal axis',
    axes: { rounds: 'Rounds', bytes: 'Bytes', seconds: 'Seconds', simulated: 'Simulated' },
    axisUnits: {
      rounds: 'Round',
      bytes: 'Traffic, both ways',
      seconds: 'Training time',
      simulated: 'Simulated time',
    },
    logX: 'Log x',
    logY: 'Log y',
    smoothing: 'Smoothing',
    shareOfExamples: 'share of test examples',
    lossUnit: 'cross-entropy',
    metrics: {
      accuracy: 'Test accuracy',
      loss: 'Test loss',
      train_loss: 'Training loss',
      epsilon: 'Privacy loss ε',
      clip_norm: 'Clip of updates',
    },
    summary: (what: string, count: number, last: string) =>
      `${what}: ${count} ${count === 1 ? 'point' : 'points'}, latest ${last}`,
  },
};
