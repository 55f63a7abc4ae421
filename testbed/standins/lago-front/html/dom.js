// Making and showing elements.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

export function show(...children) {
  document.getElementById("root").replaceChildren(...children);
}

const TOAST_MILLISECONDS = 6000;

export function toast() {
  const made = element("div", { "data-test": "toast/danger" }, "An error occurred, please reload the application");
  document.body.append(made);
  setTimeout(() => made.remove(), TOAST_MILLISECONDS);
}

/** A form that is sent by its button or by Enter, one sending at a time; `send` gets the values and the form. */
export function form(send, ...children) {
  let sending = false;
  const made = element("form", { novalidate: true }, ...children);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    sending = true;
    made.querySelectorAll('[data-test="error-alert"], [data-test="text-field-error"]').forEach((old) => old.remove());
    try {
      await send(Object.fromEntries(new FormData(made)), made);
    } finally {
      sending = false;
    }
  });
  return made;
}

export function alertAbove(shown, text) {
  shown.prepend(element("div", { role: "alert", "data-test": "error-alert" }, text));
}
