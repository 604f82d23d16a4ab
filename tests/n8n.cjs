// Walks an n8n workflow as n8n does, for the kinds of nodes that ours has: webhook, code, if, httpRequest and
// respondToWebhook. Standard input: {workflow, request: {headers, body}, env, hosts: {from, to}, token, kept}; standard
// output: {status, kept, visited}. A node that fails answers 500, as n8n does.
const AsyncFunction = Object.getPrototypeOf(async function () {}).constructor;

async function walk({ workflow, request, env, hosts, token, kept }) {
  const nodes = Object.fromEntries(workflow.nodes.map((node) => [node.name, node]));
  const outputs = {};
  const visited = [];
  const raw = Buffer.from(request.body, 'base64');
  const of = (name) => ({ first: () => outputs[name][0], all: () => outputs[name] });
  let status = 500;

  const evaluated = (text, input) => {
    if (typeof text !== 'string' || !text.startsWith('=')) return text;
    const run = (code) => new Function('$json', '$', '$env', `return (${code})`)(input[0].json, of, env);
    const whole = text.slice(1).match(/^\{\{([\s\S]*)\}\}$/);
    if (whole && !whole[1].includes('{{')) return run(whole[1]);
    return text.slice(1).replace(/\{\{([\s\S]*?)\}\}/g, (_, code) => run(code));
  };

  const kinds = {
    webhook: async (_, input) => [input],
    code: async (given, input) => {
      const names = ['require', '$input', '$', '$env', '$getWorkflowStaticData'];
      const run = new AsyncFunction(...names, given.jsCode);
      const self = { helpers: { getBinaryDataBuffer: async () => raw } };
      const $input = { first: () => input[0], all: () => input };
      return [await run.call(self, require, $input, of, env, () => kept)];
    },
    if: async (given, input) => {
      const truth = given.conditions.conditions.every((one) => evaluated(one.leftValue, input) === true);
      return truth ? [input, null] : [null, input];
    },
    httpRequest: async (given, input) => {
      const url = evaluated(given.url, input).replace(hosts.from, hosts.to);
      const body = given.sendBody ? evaluated(given.jsonBody, input) : undefined;
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
      const answer = await fetch(url, { method: given.method, headers, body });
      if (!answer.ok) throw new Error(`${given.method} ${url} answered ${answer.status}: ${await answer.text()}`);
      return [[{ json: await answer.json() }]];
    },
    respondToWebhook: async (given, input) => {
      status = given.options.responseCode;
      return [input];
    },
  };

  const go = async (name, input) => {
    visited.push(name);
    const node = nodes[name];
    const branches = await kinds[node.type.replace('n8n-nodes-base.', '')](node.parameters, input);
    for (const [number, items] of branches.entries()) {
      if (!items) continue;
      outputs[name] = items;
      for (const next of workflow.connections[name]?.main[number] ?? []) await go(next.node, items);
    }
  };

  let error = '';
  try {
    await go(workflow.nodes[0].name, [{ json: { headers: request.headers } }]);
  } catch (failure) {
    status = 500;
    error = String(failure);
  }
  return { status, kept, visited, error };
}

let told = '';
process.stdin.on('data', (some) => (told += some));
process.stdin.on('end', async () => process.stdout.write(JSON.stringify(await walk(JSON.parse(told)))));
