// What somebody writes with MQTT.js who needs pub -l, pub -m, sub or sub -E.
const mqtt = require("mqtt");
const readline = require("readline");

const [action, port, qosText, topic] = process.argv.slice(2);
const qos = Number(qosText);
const client = mqtt.connect(`mqtt://127.0.0.1:${port}`);
client.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});

const actions = {
  // Each line of stdin is a message. Waits, as MQTT.js wants it, while its store is full.
  async publish() {
    let unfinished = 0;
    let wake = null;
    const finished = (error) => {
      if (error) throw error;
      --unfinished;
      if (wake) wake();
    };
    const below = async (limit) => {
      while (unfinished >= limit) await new Promise((resolve) => (wake = resolve));
    };
    for await (const line of readline.createInterface({ input: process.stdin })) {
      await below(1000);
      ++unfinished;
      client.publish(topic, line, { qos }, finished);
    }
    await below(1);
    client.end();
  },
  receive() {
    client.on("message", (_topic, payload) => {
      process.stdout.write(payload);
      process.stdout.write("\n");
    });
    client.subscribe(topic, { qos });
  },
  oneshot: () => client.publish(topic, "x", { qos }, () => client.end()),
  subscribe: () => client.subscribe(topic, { qos }, () => client.end()),
};
client.once("connect", () => actions[action]());
