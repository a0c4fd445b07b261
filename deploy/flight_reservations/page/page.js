// The page: sends reservations, and shows how they end.
import { follow, prepend, token } from "./feed_files/feed.js";

const WORDS = {
  EventoReservaCreada: "Reserva recibida: pendiente de aprobación",
  EventoReservaAprobada: "Reserva aprobada",
  EventoReservaPagada: "Reserva pagada",
  EventoReservaCancelada: "Reserva cancelada",
};
const FIELDS = { "origen/codigo": "Origen", "destino/codigo": "Destino", fecha_salida: "Salida", fecha_llegada: "Llegada" };
const PLACE = new RegExp(`^/\\S*/(${Object.keys(FIELDS).join("|")}):? `);
const by = (id) => document.getElementById(id);
const form = by("reservar"), list = by("mensajes"), error = by("error"), own = new Set();

function show(frame, text) {
  const data = frame.data ?? {}, id = data.id_reserva ?? data.id_solicitud, isRejected = frame.type === "ReservaRechazada";
  const sentence = isRejected ? `Reserva rechazada: ${data.error}` : WORDS[frame.type] ?? frame.type;
  const item = prepend(list, frame, text, id, sentence);
  item.classList.toggle("rechazo", isRejected);
  item.classList.toggle("propia", own.has(id));
  by("vacio").hidden = true;
}

function report(text) {
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
  report("");
  button.disabled = true;
  try {
    const body = JSON.stringify({ itinerarios: [{ odos: [{ segmentos: [{ legs: [leg] }] }] }] });
    const answer = await fetch("/vuelos/reserva-comando", { method: "POST", headers, body });
    if (answer.ok) {
      const id = answer.headers.get("command-id");
      own.add(id);
      list.querySelector(`[data-id="${CSS.escape(id)}"]`)?.classList.add("propia");
    } else {
      const answered = await answer.json().catch(() => ({}));
      const why = answered.error ?? answered.detail ?? `El servidor respondió ${answer.status}.`;
      report(why.replace(PLACE, (_, field) => `${FIELDS[field]}: `));
    }
  } catch {
    report("El servidor no responde. Inténtelo de nuevo.");
  } finally {
    button.disabled = false;
  }
});

const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 11);
form.elements.salida.value = `${tomorrow}13:10`;
form.elements.llegada.value = `${tomorrow}15:10`;
follow(show);
