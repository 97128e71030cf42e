export const jobs = {
  newRun: {
    title: 'New run',
    lead: 'Everything has a default that works. Change what you want to study.',
    cloneLead: (name: string) => `A copy of the settings of ${name}.`,
    loading: 'Loading the form',
    name: 'Name',
    nameHint: 'Leave it empty to use the suggestion.',
    cards: {
      data: { title: 'Data', text: 'What is learned, and how it is spread over the clients.' },
      method: {
        title: 'Model and method',
        text: 'What is trained, and how the updates are combined.',
      },
      training: { title: 'Local training', text: 'What each client does in one round.' },
      participation: { title: 'Participation', text: 'Who takes part in a round.' },
      other: { title: 'Other', text: '' },
    },
    advanced: 'More settings',
    general: 'General',
    changed: (count: number) => `${count} changed`,
    problems: (count: number) => (count === 1 ? '1 problem' : `${count} problems`),
    summary: 'This run',
    problemsTitle: (count: number) =>
      count === 1 ? 'One thing to mend' : `${count} things to mend`,
    wholeDocument: 'The whole specification',
    validating: 'Checking …',
    valid: 'Ready to launch',
    validationFailed: 'The settings could not be checked.',
    launch: 'Launch run',
    resetAll: 'Start over',
    unknown: 'known once the data is read',
    estimate: {
      cohort: 'Clients per round',
      parameters: 'Parameters',
      up: 'Up per round',
      down: 'Down per round',
      total: 'Total traffic',
      memory: 'Memory',
    },
    suggestedName: (method: string, dataset: string, partition: string) =>
      `${method} on ${dataset}, ${partition}`,
  },
};
