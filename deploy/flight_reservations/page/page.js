// The page: sends reservations, and shows every record of the feed once. It resumes after the last one when the connection breaks.
const MAX_SHOWN = 200, FIRST_PAUSE_MS = 500, LAST_PAUSE_MS = 5000, REFUSED = 1008;
const WORDS = {
  EventoReservaCreada: "Reserva recibida: pendiente de aprobación",
  EventoReservaAprobada: "Reserva aprobada",
  EventoReservaPagada: "Reserva pagada",
  EventoReservaCancelada: "Reserva cancelada",
};
const FIELDS = { "origen/codigo": "Origen", "destino/codigo": "Destino", fecha_salida: "Salida", fecha_llegada: "Llegada" };
const PLACE = new RegExp(`^/\\S*/(${Object.keys(FIELDS).join("|")}):? `);
const by = (id) => document.getElementById(id);
const form = by("reservar"), entry = by("entrar"), list = by("mensajes"), error = by("error"), connection = by("conexion");
const seen = new Set(), own = new Set();
let first = null, last = null, resumed = false, pause = FIRST_PAUSE_MS, socket = null, retry = null;
const token = () => sessionStorage.getItem("token");

function say(state, text) {
  connection.dataset.estado = state;
  connection.textContent = text;
}

function show(text) {
  const frame = JSON.parse(text), data = frame.data ?? {};
  last = frame.id;
  first ??= frame.time;
  // After a break, what came about the time of the last frame comes again, and with it what came before this page was opened.
  if (seen.has(frame.id) || (resumed && frame.time < first)) return;
  seen.add(frame.id);
  const id = data.id_reserva ?? data.id_solicitud, item = document.createElement("li");
  const time = document.createElement("time"), words = document.createElement("strong"), raw = document.createElement("code");
  const record = document.createElement("details"), summary = document.createElement("summary");
  item.dataset.id = id;
  item.classList.toggle("rechazo", frame.type === "ReservaRechazada");
  item.classList.toggle("propia", own.has(id));
  time.textContent = new Date(frame.time).toLocaleTimeString("es");
  time.dateTime = new Date(frame.time).toISOString();
  words.textContent = frame.type === "ReservaRechazada" ? `Reserva rechazada: ${data.error}` : WORDS[frame.type] ?? frame.type;
  raw.textContent = text;
  summary.textContent = `${id} · registro`;
  record.append(summary, raw);
  item.append(time, words, record);
  list.prepend(item);
  while (list.children.length > MAX_SHOWN) list.lastChild.remove();
  by("vacio").hidden = true;
}

function connect() {
  clearTimeout(retry);
  const url = new URL(location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = last === null ? "" : `?after=${encodeURIComponent(last)}`;
  url.hash = "";
  resumed = last !== null;
  const opened = new WebSocket(url, token() ? ["caudal", `caudal.bearer.${token()}`] : ["caudal"]);
  socket = opened;
  opened.onopen = () => {
    pause = FIRST_PAUSE_MS;
    say("conectada", "Conectado");
  };
  opened.onmessage = (message) => show(message.data);
  opened.onclose = (closed) => {
    if (socket !== opened) return;
    if (closed.code === REFUSED) {
      say("negada", "Hace falta un código de acceso válido");
      by("acceso").open = true;
      return;
    }
    say("perdida", "Sin conexión: se intenta de nuevo…");
    retry = setTimeout(connect, pause);
    pause = Math.min(pause * 2, LAST_PAUSE_MS);
  };
}

function complain(text) {
  error.textContent = text;
  error.hidden = text === "";
}

const moment = (value) => `${value.slice(0, 16)}:00Z`;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = form.elements, button = form.querySelector("button");
  const airport = (input) => ({ codigo: input.value.trim().toUpperCase(), nombre: input.value.trim().toUpperCase() });
  const leg = {
    fecha_salida: moment(fields.salida.value),
    fecha_llegada: moment(fields.llegada.value),
    origen: airport(fields.origen),
    destino: airport(fields.destino),
  };
  const headers = { "Content-Type": "application/json", "Idempotency-Key": crypto.getRandomValues(new Uint32Array(4)).join("-") };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  complain("");
  button.disabled = true;
  try {
    const body = JSON.stringify({ itinerarios: [{ odos: [{ segmentos: [{ legs: [leg] }] }] }] });
    const answer = await fetch("/vuelos/reserva-comando", { method: "POST", headers, body });
    if (answer.ok) {
      const id = answer.headers.get("command-id");
      own.add(id);
      list.querySelector(`[data-id="${CSS.escape(id)}"]`)?.classList.add("propia");
    } else {
      const told = await answer.json().catch(() => ({}));
      const why = told.error ?? told.detail ?? `El servidor respondió ${answer.status}.`;
      complain(why.replace(PLACE, (_, field) => `${FIELDS[field]}: `));
    }
  } catch {
    complain("El servidor no responde. Inténtelo de nuevo.");
  } finally {
    button.disabled = false;
  }
});

entry.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", entry.elements.token.value.trim());
  entry.reset();
  const before = socket;
  connect();
  before?.close();
});

const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 11);
form.elements.salida.value = `${tomorrow}13:10`;
form.elements.llegada.value = `${tomorrow}15:10`;
connect();
