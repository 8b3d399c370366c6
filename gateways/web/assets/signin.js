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

async function known() {
  const answer = await fetch('/session', { cache: 'no-store' });
  if (answer.ok && (await answer.json()).user) {
    const enter = document.createElement('a');
    enter.href = '/';
    enter.className = 'button primary';
    enter.textContent = 'Open the console';
    say.textContent = 'This browser is signed in already.';
    say.after(enter);
    how.hidden = true;
  }
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
