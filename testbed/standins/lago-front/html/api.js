// The one way to the API: GraphQL, with the session that the login left in localStorage.

const apiUrl = window.API_URL || (window.LAGO_DOMAIN ? `https://${window.LAGO_DOMAIN}/api` : undefined);

export const session = {
  get token() {
    return localStorage.getItem("authToken");
  },
  open(token, organization) {
    localStorage.setItem("authToken", token);
    localStorage.setItem("currentOrganization", organization);
  },
  close() {
    localStorage.removeItem("authToken");
    localStorage.removeItem("currentOrganization");
  },
};

export class NetworkError extends Error {}

export class GraphQLError extends Error {
  constructor({ message, extensions = {} }) {
    super(message);
    this.code = extensions.code;
    this.reasons = Object.values(extensions.details ?? {}).flat();
  }
}

/** The data of an operation. NetworkError when no GraphQL answer came; GraphQLError for the first error of one. */
export async function graphql(operationName, query, variables = {}) {
  const headers = { "Content-Type": "application/json" };
  if (session.token) {
    headers.Authorization = `Bearer ${session.token}`;
    headers["x-lago-organization"] = localStorage.getItem("currentOrganization");
  }
  let answer;
  try {
    const body = JSON.stringify({ operationName, query, variables });
    const response = await fetch(`${apiUrl}/graphql`, { method: "POST", headers, body });
    if (!response.ok) throw new Error(`${response.status}`);
    answer = await response.json();
  } catch (error) {
    throw new NetworkError(error.message);
  }
  if (answer.errors) throw new GraphQLError(answer.errors[0]);
  return answer.data;
}

const USER = "token user { id email organizations { id name } }";

export const login = (input) =>
  graphql("loginUser", `mutation loginUser($input: LoginUserInput!) { loginUser(input: $input) { ${USER} } }`, { input });

export const signUp = (input) =>
  graphql(
    "signup",
    `mutation signup($input: RegisterUserInput!) {
      registerUser(input: $input) { token organization { id name } }
    }`,
    { input },
  );

export const currentUser = () =>
  graphql(
    "getCurrentUserInfos",
    "query getCurrentUserInfos { currentUser { id email premium memberships { id role organization { id name } } } }",
  );

export const organization = () =>
  graphql("getOrganizationInfos", "query getOrganizationInfos { organization { id name } }");

export const version = () => graphql("SideNavInfos", "query SideNavInfos { currentVersion { number githubUrl } }");

export const plans = () =>
  graphql(
    "plans",
    `query plans($page: Int, $limit: Int) {
      plans(page: $page, limit: $limit) {
        metadata { currentPage totalPages totalCount }
        collection { id name code amountCents amountCurrency interval }
      }
    }`,
    { page: 1, limit: 20 },
  );
