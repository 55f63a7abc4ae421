// The pages behind the login: a side bar, and one list that is really read, the plans.

import { currentUser, organization, plans, version } from "./api.js";
import { element, show } from "./dom.js";

export const PAGES = {
  "/analytics": "Analytics",
  "/billable-metrics": "Billable metrics",
  "/plans": "Plans",
  "/add-ons": "Add-ons",
  "/coupons": "Coupons",
  "/customers": "Customers",
  "/invoices": "Invoices",
  "/developers/api-keys": "Developers",
  "/settings": "Settings",
};

function wentWrong() {
  return element(
    "div",
    {},
    element("h2", {}, "Something went wrong"),
    element("p", {}, "Please refresh the page or contact us if the error persists."),
  );
}

async function sideBar() {
  const links = Object.entries(PAGES).map(([path, text]) => element("a", { href: path }, text));
  const menu = element("div", { hidden: true });
  const name = element("button", { "data-test": "side-nav-name", onclick: () => (menu.hidden = !menu.hidden) });
  const bar = element("nav", {}, name, menu, ...links);
  try {
    const [, { organization: own }, { currentVersion }] = await Promise.all([currentUser(), organization(), version()]);
    name.textContent = own.name;
    menu.append(element("a", { href: currentVersion.githubUrl }, currentVersion.number));
  } catch {
    bar.append(wentWrong());
  }
  return bar;
}

async function planList() {
  try {
    const { collection } = (await plans()).plans;
    if (!collection.length) return element("div", { "data-test": "empty" }, "Add your first plan");
    const rows = collection.map(({ name, code }) =>
      element("div", { "data-test": `${name}-wrapper` }, element("a", { "data-test": name }, name, " ", code)),
    );
    return element("div", {}, ...rows);
  } catch {
    return wentWrong();
  }
}

export async function workPage(path) {
  const main = element("main", {}, element("h1", {}, PAGES[path]));
  if (path === "/plans") {
    main.append(element("a", { href: "/create/plans", "data-test": "create-plan" }, "Add a plan"), await planList());
  }
  show(await sideBar(), main);
}

export function notFoundPage() {
  show(element("main", {}, element("h1", {}, "404"), element("a", { href: "/" }, "Go back home")));
}
