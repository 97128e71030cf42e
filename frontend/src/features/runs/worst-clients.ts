import type { ClientRow } from '@/api/types';

/**
 * The tenth of the clients that the model serves worst, at least one: by accuracy on their own test
 * examples where the run measures it, else by their last training loss.
 */
export function worstClients(clients: readonly ClientRow[]): ClientRow[] {
  const badness = (client: ClientRow): number | null =>
    client.test_accuracy !== null ? -client.test_accuracy : client.last_loss;
  const known = clients.filter((client) => badness(client) !== null);
  const count = Math.max(1, Math.round(known.length / 10));
  return known.sort((a, b) => (badness(b) ?? 0) - (badness(a) ?? 0)).slice(0, count);
}
