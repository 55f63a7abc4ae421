// Which page a path shows, and to whom.

import { session } from "./api.js";
import { forgotPasswordPage, loginPage, signUpPage } from "./entrance.js";
import { PAGES, notFoundPage, workPage } from "./workplace.js";

const FOR_STRANGERS = { "/login": loginPage, "/sign-up": signUpPage, "/forgot-password": forgotPasswordPage };

function go(path) {
  history.pushState({}, "", path);
  render();
}

function render() {
  const path = location.pathname;
  if (path in FOR_STRANGERS) return session.token ? go("/") : FOR_STRANGERS[path](go);
  if (path !== "/" && !(path in PAGES)) return notFoundPage();
  if (!session.token) return go("/login");
  return path === "/" ? go("/analytics") : workPage(path);
}

addEventListener("popstate", render);
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="/"]');
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
render();
