// Sign-in: the link's secret is behind the hash, so it is in no request line and no log; it is taken out of
// the address bar before anything else, and posted once.

const secret = location.hash.slice(1);
const say = document.getElementById('say');
const how = document.getElementById('how');

try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch { /* storage may be off */ }

async function enter() {
  history.replaceState(null, '', '/signin');
  how.hidden = true;
  say.textContent = 'Signing in …';
  const answer = await fetch('/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: secret }),
  });
  if (answer.ok) {
    location.replace('/');
    return;
  }
  const problem = await answer.json().catch(() => ({}));
  say.textContent = problem.detail ? `Not signed in: ${problem.detail}.` : 'Not signed in.';
  say.className = 'bad';
  how.hidden = false;
}

// A link from another program opens this page without the cookie, which is strict; asked from here it is sent.
async function known() {
  const answer = await fetch('/session', { cache: 'no-store' });
  if (answer.ok && (await answer.json()).user) location.replace('/');
}

if (/^[0-9a-f]{64}$/.test(secret)) {
  enter().catch(() => {
    say.textContent = 'The node does not answer.';
    say.className = 'bad';
    how.hidden = false;
  });
} else if (new URLSearchParams(location.search).has('out')) {
  say.textContent = 'Signed out. The session is over on the node, too.';
} else {
  known().catch(() => {});
}
// Another link pasted into the same tab changes only the part behind the hash.
window.addEventListener('hashchange', () => location.reload());
