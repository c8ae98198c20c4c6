// The API for people: every operation of /openapi.json with its fields, an example, and its answers.
// What stands in the contract becomes text, never markup.

const element = (name, text = "", className = "") => {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
};

const resolved = (schema, contract) =>
  schema?.$ref ? contract.components.schemas[schema.$ref.split("/").pop()] : schema ?? {};

const kindOf = (schema) => {
  const one = schema.anyOf?.find((each) => each.type !== "null") ?? schema;
  return [
    one.format ?? one.type,
    one.enum?.join(", "),
    one.minimum !== undefined ? `${one.minimum} to ${one.maximum}` : "",
    one.maxLength ? `at most ${one.maxLength} characters` : "",
  ].filter(Boolean).join("; ");
};

const table = (title, rows) => {
  const part = element("section");
  if (!rows.length) return part;
  const body = element("table");
  for (const cells of rows) {
    const row = element("tr");
    cells.forEach((cell) => row.append(element("td", cell)));
    body.append(row);
  }
  part.append(element("h3", title), body);
  return part;
};

const fields = (operation, contract) => {
  const parameters = (operation.parameters ?? []).map(({ name, in: where, required, schema, description }) =>
    [name, where + (required ? ", required" : ""), kindOf(schema), description ?? ""]);
  const body = resolved(operation.requestBody?.content?.["application/json"]?.schema, contract);
  const inBody = Object.entries(body.properties ?? {}).map(([name, schema]) =>
    [name, "body" + (body.required?.includes(name) ? ", required" : ""), kindOf(resolved(schema, contract)), ""]);
  return { rows: [...parameters, ...inBody], example: body.examples?.[0] };
};

const shownExample = (title, example) => {
  const part = element("section");
  if (example !== undefined) {
    const text = typeof example === "string" ? example : JSON.stringify(example, null, 2);
    part.append(element("h3", title), element("pre", text));
  }
  return part;
};

const answerExample = (operation, contract) => {
  const good = Object.entries(operation.responses).find(([status]) => status.startsWith("2"))?.[1];
  const content = Object.values(good?.content ?? {})[0];
  return content?.example ?? resolved(content?.schema, contract).examples?.[0];
};

const card = (path, method, operation, contract) => {
  const made = element("details");
  const head = element("summary", "", operation.security ? "locked" : "");
  head.append(element("b", method.toUpperCase()), element("code", path), element("span", operation.summary));
  const inside = element("div");
  const { rows, example } = fields(operation, contract);
  inside.append(
    element("p", operation.description ?? ""),
    table("Fields", rows),
    shownExample("Body, for example", example),
    table("Answers", Object.entries(operation.responses).map(([status, { description }]) => [status, description])),
    shownExample("Answer, for example", answerExample(operation, contract)),
  );
  made.append(head, inside);
  return made;
};

const show = async () => {
  const main = document.getElementById("operations");
  const contract = await (await fetch("/openapi.json")).json();
  document.getElementById("about").textContent = contract.info.description;
  for (const [path, methods] of Object.entries(contract.paths)) {
    for (const [method, operation] of Object.entries(methods)) main.append(card(path, method, operation, contract));
  }
  main.removeAttribute("aria-busy");
};

show().catch((error) => { document.getElementById("about").textContent = `The contract cannot be read: ${error.message}`; });
