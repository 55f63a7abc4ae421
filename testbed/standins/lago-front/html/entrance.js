// The pages for those who aren't logged in.

import { GraphQLError, login, session, signUp } from "./api.js";
import { alertAbove, element, form, show, toast } from "./dom.js";

const signUpIsOpen = window.LAGO_DISABLE_SIGNUP !== "true";

function lowercase(event) {
  event.target.value = event.target.value.toLowerCase();
}

/** Does `attempt`; an error whose reason is known is told above the form, any other by a toast. */
async function enter(shown, attempt, known) {
  try {
    await attempt();
  } catch (error) {
    const text = error instanceof GraphQLError && error.reasons.map((reason) => known[reason]).find(Boolean);
    if (text) alertAbove(shown, text);
    else toast();
  }
}

export function loginPage(go) {
  const email = element("input", { name: "email", placeholder: "Type an email", oninput: lowercase });
  const password = element("input", { name: "password", type: "password", placeholder: "Type a password" });

  async function send(values, shown) {
    const empty = [email, password].filter((field) => !field.value);
    empty.forEach((field) => field.after(element("div", { "data-test": "text-field-error" }, "This field is required")));
    if (empty.length) return;
    await enter(
      shown,
      async () => {
        const { token, user } = (await login(values)).loginUser;
        session.open(token, user.organizations[0].id);
        go("/");
      },
      { incorrect_login_or_password: "Sorry, that email and password combination is incorrect." },
    );
  }

  show(
    element(
      "main",
      {},
      element("h1", {}, "Welcome back to Lago"),
      element("p", {}, "Hey there, log in to your Lago account."),
      element("button", { type: "button" }, "Log In with Google"),
      element("button", { type: "button" }, "Log In with Okta"),
      form(
        send,
        element("label", {}, "Email", email),
        element("label", {}, "Password", password),
        element("button", { type: "submit", "data-test": "submit" }, "Log In"),
      ),
      element("p", {}, element("a", { href: "/forgot-password" }, "Forgot password")),
      signUpIsOpen ? element("p", {}, "Don’t have an account? ", element("a", { href: "/sign-up" }, "Sign up")) : null,
    ),
  );
  email.focus();
}

const PASSWORD_RULES = [/.{8}/, /[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/];

export function signUpPage(go) {
  if (!signUpIsOpen) return go("/login");
  const button = element("button", { type: "submit", "data-test": "submit-button", disabled: true }, "Sign up");

  function send(values, shown) {
    return enter(
      shown,
      async () => {
        const { token, organization } = (await signUp(values)).registerUser;
        session.open(token, organization.id);
        go("/");
      },
      { user_already_exists: "This email is already used; log in instead." },
    );
  }

  const shown = form(
    send,
    element("label", {}, "Organization name", element("input", { name: "organizationName" })),
    element("label", {}, "Email", element("input", { name: "email", oninput: lowercase })),
    element("label", {}, "Password", element("input", { name: "password", type: "password" })),
    button,
  );
  shown.addEventListener("input", () => {
    const { organizationName, email, password } = Object.fromEntries(new FormData(shown));
    const valid = organizationName && /^\S+@\S+\.\S+$/.test(email) && PASSWORD_RULES.every((rule) => rule.test(password));
    button.disabled = !valid;
  });
  show(element("main", {}, element("h1", {}, "Sign up to Lago"), shown));
}

export function forgotPasswordPage() {
  show(element("main", {}, element("h1", {}, "Forgot password"), element("a", { href: "/login" }, "Log In")));
}
