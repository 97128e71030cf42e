import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, it } from 'vitest';
import { me } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, problem, server } from '@/testing/server';

beforeEach(() => {
  server.use(http.get(api('auth/me/'), () => problem(401, 'not_authenticated')));
});

async function signIn(): Promise<void> {
  await userEvent.type(await screen.findByLabelText('Username'), 'ada');
  await userEvent.type(screen.getByLabelText('Password'), 'secret');
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
}

it('leads those who are not signed in to the sign-in page, and back where they wanted to go', async () => {
  server.use(http.post(api('auth/login/'), () => HttpResponse.json(me)));
  const { router } = renderApp('/runs?search=digits');
  await signIn();
  expect(await screen.findByRole('heading', { name: 'Runs' })).toBeInTheDocument();
  expect(router.state.location.href).toBe('/runs?search=digits');
});

it('says why signing in failed', async () => {
  server.use(http.post(api('auth/login/'), () => problem(401, 'wrong_credentials')));
  renderApp('/sign-in');
  await signIn();
  expect(await screen.findByRole('alert')).toHaveTextContent('It went wrong: wrong_credentials.');
});

it('never leads to another site', async () => {
  server.use(http.post(api('auth/login/'), () => HttpResponse.json(me)));
  const { router } = renderApp('/sign-in?next=https%3A%2F%2Fevil.example');
  await signIn();
  expect(await screen.findByRole('heading', { name: 'Home' })).toBeInTheDocument();
  expect(router.state.location.pathname).toBe('/');
});

it('sends the token from the cookie with a request that changes something', async () => {
  document.cookie = 'csrftoken=abc';
  let token: string | null = null;
  server.use(
    http.post(api('auth/login/'), ({ request }) => {
      token = request.headers.get('X-CSRFToken');
      return HttpResponse.json(me);
    }),
  );
  renderApp('/sign-in');
  await signIn();
  expect(await screen.findByRole('heading', { name: 'Home' })).toBeInTheDocument();
  expect(token).toBe('abc');
});
