import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it } from 'vitest';
import { me } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, problem, server } from '@/testing/server';

const allauth = (path: string) => `*/_allauth/browser/v1/${path}`;
const NOW = '2026-01-05T10:00:00Z';
const page = (results: unknown[]) => HttpResponse.json({ next: null, previous: null, results });

it('asks for a second factor where the account wants one, and goes on', async () => {
  let isIn = false;
  server.use(
    http.get(api('auth/me/'), () =>
      isIn ? HttpResponse.json(me) : problem(401, 'not_authenticated'),
    ),
    http.post(api('auth/login/'), () =>
      problem(401, 'second_factor_required', { second_factor: ['totp'] }),
    ),
    http.post(allauth('auth/2fa/authenticate'), async ({ request }) => {
      const { code } = (await request.json()) as { code: string };
      if (code !== '123456') {
        const errors = [{ param: 'code', code: 'incorrect_code', message: 'Incorrect code.' }];
        return HttpResponse.json({ status: 400, errors }, { status: 400 });
      }
      isIn = true;
      return HttpResponse.json({ status: 200, data: {} });
    }),
  );
  renderApp('/sign-in');
  await userEvent.type(await screen.findByLabelText('Username'), 'ada');
  await userEvent.type(screen.getByLabelText('Password'), 'secret');
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
  await userEvent.type(await screen.findByLabelText('Code'), '000000');
  await userEvent.click(screen.getByRole('button', { name: 'Confirm' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('Incorrect code.');
  await userEvent.clear(screen.getByLabelText('Code'));
  await userEvent.type(screen.getByLabelText('Code'), '123 456');
  await userEvent.click(screen.getByRole('button', { name: 'Confirm' }));
  expect(await screen.findByRole('heading', { name: 'Home' })).toBeInTheDocument();
});

it('says in words why single sign-on led back', async () => {
  server.use(http.get(api('auth/me/'), () => problem(401, 'not_authenticated')));
  renderApp('/sign-in?problem=awaiting_approval');
  expect(await screen.findByRole('status')).toHaveTextContent('waits for its approval');
});

it('shows a new token once, beside those that there are', async () => {
  const token = {
    id: 't1',
    name: 'notebook',
    scope: 'read',
    prefix: 'rh_1234',
    created_at: '2026-01-05T10:00:00Z',
    created_by: 'ada',
    expires_at: '2999-01-05T10:00:00Z',
    last_used_at: null,
    last_used_from: null,
  };
  let rows: unknown[] = [];
  server.use(
    http.get(api('tokens/'), () => page(rows)),
    http.post(api('tokens/'), () => {
      rows = [token];
      return HttpResponse.json({ ...token, token: 'rh_secret' }, { status: 201 });
    }),
  );
  renderApp('/settings?tab=tokens');
  const form = await screen.findByRole('form', { name: 'Create token' });
  await userEvent.type(within(form).getByLabelText('Name'), 'notebook');
  await userEvent.click(within(form).getByRole('button', { name: 'Create token' }));
  expect(await screen.findByText('rh_secret')).toBeInTheDocument();
  expect(await screen.findByRole('button', { name: 'Revoke token notebook' })).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Done' }));
  expect(screen.queryByText('rh_secret')).not.toBeInTheDocument();
});

it('asks for the password again before it changes a factor, and then changes it', async () => {
  let isProved = false;
  server.use(
    http.get(allauth('account/authenticators'), () =>
      HttpResponse.json({
        status: 200,
        data: isProved ? [] : [{ type: 'totp', created_at: 1, last_used_at: null }],
      }),
    ),
    http.delete(allauth('account/authenticators/totp'), () =>
      isProved
        ? HttpResponse.json({ status: 200 })
        : HttpResponse.json(
            { status: 401, data: { flows: [{ id: 'reauthenticate' }] } },
            { status: 401 },
          ),
    ),
    http.post(allauth('auth/reauthenticate'), () => {
      isProved = true;
      return HttpResponse.json({ status: 200, data: {} });
    }),
  );
  renderApp('/settings?tab=security');
  await userEvent.click(await screen.findByRole('button', { name: 'Turn off' }));
  const dialog = await screen.findByRole('dialog', { name: 'Is it you?' });
  await userEvent.type(within(dialog).getByLabelText('Password'), 'secret');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Continue' }));
  expect(await screen.findByRole('button', { name: 'Set up' })).toBeInTheDocument();
});

it('shows what an entry of the audit log changed, and filters by the address', async () => {
  let asked = '';
  server.use(
    http.get(api('audit/'), ({ request }) => {
      asked = new URL(request.url).search;
      return page([
        {
          id: 1,
          at: '2026-01-05T10:00:00Z',
          actor_id: '7',
          actor_name: 'ada',
          credential: 'session',
          address: '192.0.2.1',
          request_id: 'r',
          action: 'run.pause',
          object_type: 'run',
          object_id: 'x',
          object_name: 'Digits',
          project_id: null,
          before: { state: 'queued' },
          after: { state: 'paused' },
        },
      ]);
    }),
  );
  renderApp('/audit?action=run');
  expect(await screen.findByText('state: queued → paused')).toBeInTheDocument();
  expect(asked).toBe('?action=run');
  expect(screen.getByRole('link', { name: 'CSV' })).toHaveAttribute(
    'href',
    '/api/v1/audit/export/?action=run&as=csv',
  );
});

it('has the link of an invitation mailed, and shows it in any case', async () => {
  let asked: unknown;
  let isTaken = true;
  server.use(
    http.get(api('auth/options/'), () =>
      HttpResponse.json({
        single_sign_on: null,
        may_request: false,
        passkeys: true,
        mails_invitations: true,
      }),
    ),
    http.get(api('projects/p1/'), () =>
      HttpResponse.json({ id: 'p1', name: 'Default', role: 'admin', created_at: NOW }),
    ),
    http.get(api('projects/p1/members/'), () => page([])),
    http.get(api('projects/p1/tokens/'), () => page([])),
    http.get(api('projects/p1/quota/'), () => problem(404, 'not_found')),
    http.get(api('projects/p1/invitations/'), () => page([])),
    http.post(api('projects/p1/invitations/'), async ({ request }) => {
      asked = await request.json();
      return HttpResponse.json({ id: 'i1', code: 'secret', is_mailed: isTaken }, { status: 201 });
    }),
  );
  renderApp('/projects/p1');
  const form = await screen.findByRole('form', { name: 'Make a link' });
  await userEvent.type(await within(form).findByLabelText('E-mail'), 'grace@example.org');
  await userEvent.click(within(form).getByRole('button', { name: 'Make a link' }));
  expect(await within(form).findByRole('status')).toHaveTextContent('on its way by e-mail');
  expect(within(form).getByText(/invitation#secret$/)).toBeInTheDocument();
  expect(asked).toMatchObject({ email: 'grace@example.org' });
  isTaken = false;
  await userEvent.type(within(form).getByLabelText('E-mail'), 'grace@example.org');
  await userEvent.click(within(form).getByRole('button', { name: 'Make a link' }));
  expect(await within(form).findByText(/did not take the mail/)).toBeInTheDocument();
});
