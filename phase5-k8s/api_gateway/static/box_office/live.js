// The tickets left of one event, as they change. A browser comes back to a lost stream by itself, but gives up one that
// was refused: that one is asked for again here. A page that nobody sees watches nothing: browsers open few connections
// to one server, and tabs in the background would take them all.

const FIRST = 1000; // milliseconds
const LONGEST = 15_000;

export const watch = (eventId, { number, state }, signal) => {
  let source = null;
  let pause = FIRST;
  let again;

  const open = () => {
    clearTimeout(again);
    source?.close();
    source = new EventSource(`/v1/events/${eventId}/availability`);
    source.addEventListener("availability", (message) => {
      pause = FIRST;
      state("live");
      number(JSON.parse(message.data));
    });
    source.addEventListener("error", () => {
      state("lost");
      if (source.readyState !== EventSource.CLOSED) return;
      again = setTimeout(open, pause);
      pause = Math.min(2 * pause, LONGEST);
    });
  };
  const close = () => {
    clearTimeout(again);
    source?.close();
  };
  const seen = () => (document.hidden ? close() : open());

  document.addEventListener("visibilitychange", seen, { signal });
  signal.addEventListener("abort", close);
  seen();
};
