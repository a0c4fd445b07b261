// The feed of a page: every record once, in the order in which it comes. It resumes after the last one when the connection breaks.
// The page has an element #conexion that shows its state, and #acceso with the form #entrar for a token.
const FIRST_PAUSE_MS = 500, LAST_PAUSE_MS = 5000, REJECTED = 1008;
const by = (id) => document.getElementById(id);
const connection = by("conexion"), entry = by("entrar");
const seen = new Set();
let since = 0, last = null, resumed = false, pause = FIRST_PAUSE_MS, socket = null, retry = null, show = null;

export const token = () => sessionStorage.getItem("token");

function say(state, text) {
  connection.dataset.estado = state;
  connection.textContent = text;
}

function handle(text) {
  const frame = JSON.parse(text);
  last = frame.id;
  // After a break, older frames come as well: some again, and others that came before this page was opened.
  const key = `${frame.id} ${frame.type}`;
  if (seen.has(key) || (resumed && frame.time < since)) return;
  seen.add(key);
  show(frame, text);
}

function connect() {
  clearTimeout(retry);
  const url = new URL(location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = resumed ? `?after=${encodeURIComponent(last ?? "none")}` : "";
  url.hash = "";
  const opened = new WebSocket(url, token() ? ["caudal", `caudal.bearer.${token()}`] : ["caudal"]);
  socket = opened;
  opened.onopen = () => {
    resumed = true;
    pause = FIRST_PAUSE_MS;
    say("conectada", "Conectado");
  };
  opened.onmessage = (message) => handle(message.data);
  opened.onclose = (closed) => {
    if (socket !== opened) return;
    if (closed.code === REJECTED) {
      say("negada", "Hace falta un código de acceso válido");
      by("acceso").open = true;
      return;
    }
    say("perdida", "Sin conexión: se intenta de nuevo…");
    retry = setTimeout(connect, pause);
    pause = Math.min(pause * 2, LAST_PAUSE_MS);
  };
}

entry.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", entry.elements.token.value.trim());
  entry.reset();
  const before = socket;
  connect();
  before?.close();
});

// Calls `shown(frame, text)` for every record from now on.
export async function follow(shown) {
  show = shown;
  // The server's time, to the second: a browser's clock may be wrong.
  const answer = await fetch("./feed_files/feed.js", { method: "HEAD", cache: "no-store" }).catch(() => null);
  since = Date.parse(answer?.headers.get("date") ?? "") || 0;
  connect();
}

// Puts an item with a time, a sentence and the record itself at the beginning of a list.
export function prepend(list, frame, text, id, sentence, max = 200) {
  const item = document.createElement("li"), time = document.createElement("time"), words = document.createElement("strong");
  const record = document.createElement("details"), summary = document.createElement("summary"), raw = document.createElement("code");
  item.dataset.id = id;
  item.dataset.time = frame.time;
  time.textContent = new Date(frame.time).toLocaleTimeString("es");
  time.dateTime = new Date(frame.time).toISOString();
  words.textContent = sentence;
  summary.textContent = `${id} · registro`;
  raw.textContent = text;
  record.append(summary, raw);
  item.append(time, words, record);
  // The newest first: records of several topics may come in another order than they were recorded in.
  const older = [...list.children].find((other) => Number(other.dataset.time) <= frame.time);
  list.insertBefore(item, older ?? null);
  while (list.children.length > max) list.lastChild.remove();
  return item;
}
