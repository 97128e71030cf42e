/** Words for the names that come from the server's schemas. */

/** Parts of names that are short for something people say in full, or spell differently. */
const WORDS: Readonly<Record<string, string>> = {
  adam: 'Adam',
  adamw: 'AdamW',
  cpu: 'CPU',
  cuda: 'CUDA',
  dp: 'DP',
  iid: 'IID',
  lr: 'learning rate',
  max: 'maximum',
  // The unit is shown beside the name.
  mbps: '',
  min: 'minimum',
  num: 'number of',
  peft: 'PEFT',
  s: 'second',
  sgd: 'SGD',
};

/** `num_samples` becomes "Number of samples", `lr` becomes "Learning rate". */
export function humanize(name: string): string {
  const text = name
    .split('_')
    .map((word) => WORDS[word] ?? word)
    .filter((word) => word !== '')
    .join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A schema's own title, unless it is only the name in capitals, which reads worse. */
export function titleOf(name: string, schemaTitle: string | undefined): string {
  const generated = name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');
  return schemaTitle === undefined || schemaTitle === generated ? humanize(name) : schemaTitle;
}
