import type { Site } from '@/api/types';

/** A site that is online, with a table and a policy. */
export function makeSite(changes: Partial<Site> = {}): Site {
  return {
    id: '55555555-5555-4555-8555-555555555555',
    name: 'Ward 3',
    project: '22222222-2222-4222-8222-222222222222',
    project_name: 'Default',
    state: 'approved',
    presence: 'online',
    fingerprint: '0123:4567:89ab:cdef:0123:4567:89ab:cdef',
    created_by: 'ada',
    created_at: '2026-01-05T10:00:00Z',
    code_expires_at: null,
    enrolled_at: '2026-01-05T10:01:00Z',
    approved_at: '2026-01-05T10:02:00Z',
    revoked_at: null,
    last_seen_at: '2026-01-05T10:03:00Z',
    last_address: '192.0.2.7',
    activity: 'idle',
    agent: { version: '0.1.0', python: '3.11.2', torch: '2.13.0' },
    hardware: {
      cores: 8,
      memory_bytes: 32e9,
      disk_free_bytes: 1e11,
      gpus: [],
      system: 'Linux x86_64',
    },
    policy: {
      document: null,
      rules: [{ name: 'max_work.rounds', sentence: 'At most 200 rounds.' }],
    },
    problems: [],
    waiting_tasks: [],
    datasets: [
      {
        name: 'heart',
        declared_at: '2026-01-05T10:01:00Z',
        declaration: {
          name: 'heart',
          title: 'Heart disease',
          num_train: 242,
          num_test: 61,
          task: null,
          class_counts: { no: 130, yes: 112 },
          columns: [
            { name: 'age', kind: 'number', values: [], has_missing: true, mean: 54.4, std: 9 },
            {
              name: 'sex',
              kind: 'category',
              values: ['0', '1'],
              has_missing: false,
              mean: null,
              std: null,
            },
          ],
        },
      },
    ],
    allowed_actions: [],
    ...changes,
  };
}
