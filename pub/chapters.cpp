#include "pub/chapters.hpp"

namespace sistem {
namespace {

Chapter templates() {
  return {
      "Templates",
      {{"The text of --template is a payload with placeholders, and each message gets others in their places. With it, "
        "the topic may have placeholders, too. Nothing else has them: what -m says is published as it stands. %% is a "
        "percent sign; one before anything but { or % is one anyway, and braces mean nothing without it."},
       {"pub -t 'lab/%{pick:attic|cellar}' \\\n"
        "    --template '{\"n\":%{seq},\"t\":%{walk:20..35,0.2}}'\n"},
       {"The number of the message, from 1.", "%{seq}"},
       {"The time of day, in UTC: 2026-11-25T09:30:00.123Z, or the seconds, milliseconds or nanoseconds since 1970.",
        "%{time}, %{unix}, %{unix_ms}, %{unix_ns}"},
       {"A UUID, version 4.", "%{uuid}"},
       {"The name of this host, the number of this process, and the number of this connection among --clients.",
        "%{host}, %{pid}, %{client}"},
       {"The variable NAME. It must be set.", "%{env:NAME}"},
       {"N random bytes, as 2 N hexadecimal digits; N bytes of filler; and the filler that --size leaves room for.",
        "%{hex:N}, %{pad:N}, %{pad}"},
       {"One of these, at random. %|, %} and %% are the characters themselves.", "%{pick:a|b|c}"},
       {"A number from the first to the last, each as likely as the others; a whole one where both are.",
        "%{rand:1..6}"},
       {"A number of the normal distribution: its mean and its sigma.", "%{normal:28,0.5}"},
       {"A number that begins in the middle, goes up or down by the last number at most, and turns at the ends.",
        "%{walk:20..35,0.2}"},
       {"A wave between two numbers and its period, in ms, s, m, h or d, by the run's schedule. A further time says "
        "how "
        "far it is ahead in the beginning.",
        "%{sine:20..35,60s}"},
       {"From the first number up by the last, and again from the first.", "%{step:0..10,1}"},
       {"What this host measures of itself, without units. beban is three numbers, jaringan is two.",
        "%{cpu}, %{memori}, %{beban}, %{disk}, %{jaringan}, %{uptime}, %{suhu}"},
       {"A number may have a format after a colon, as fmt and Python have it: %{seq:06}, %{rand:0..1:.3f}. Without "
        "one, "
        "a number that is not whole has two decimals, or one more than the numbers that it is made from."},
       {"--seed makes the random values the same each time, on every machine. Each placeholder has numbers of its own, "
        "so one more changes no other; those of each client differ."}}};
}

Chapter json_lines() {
  return {
      "JSON lines",
      {{"For --jsonl each line is a JSON object. All but the topic may be missing, and that, too, where --topic is "
        "given. An empty line says nothing."},
       {R"({"topic":"lab/t","payload":"21.5","qos":1}
{"topic":"lab/t","payload_base64":"AP8=","delay":0.5}
{"topic":"lab/t","properties":{"user-property":[["unit","°C"]]}}
)"},
       {"The topic name.", "topic"},
       {"A text. JSON is one too: with \\ before its quotation marks.", "payload"},
       {"Bytes that are no text, in base64.", "payload_base64"},
       {"0, 1 or 2; true or false.", "qos, retain"},
       {"An object, with the names that -D publish has. Binary data stands as text, or in base64 under its name with "
        "_base64 behind it; user properties are a list of pairs. They need -V 5.",
        "properties"},
       {"Seconds after the message before was due.", "delay"},
       {"What sub --json says of a message, too. --replay goes by monotonic_ns, or else by arrival; --jsonl by "
        "neither.",
        "dup, mid, arrival, monotonic_ns"},
       {"Any other key is wrong."}}};
}

Chapter stamps() {
  return {
      "Stamps",
      {{"With --stamp each message says what it takes to tell which ones were lost, came twice or out of order, and "
        "how long they took. In MQTT 5 that is user properties, behind those that -D gives; sub -F shows them by "
        "%{seq} and %{latency}. Times are nanoseconds since 1970, by the system's clock as it stood when the run "
        "began: setting it during the run changes nothing."},
       {"The client id. Each of --clients has its own; without --id it is another one in each run.", "stamp-publisher"},
       {"The number of the message among those of its publisher in this run, from 1.", "stamp-seq"},
       {"When it was handed over to be sent, after a wait for room among what is unacknowledged.", "stamp-time"},
       {"When it should have been, where there is a pace or the input says so, but not with --speed max: what is "
        "late because the message before it was slow shows in this one only. So that it does, no slot of a pace is "
        "skipped or moved: what could not be sent in time is sent as soon as it can be.",
        "stamp-due"},
       {"CRC-32 of the payload, in hexadecimal: whether it is the one that was sent.", "stamp-crc"},
       {"In place of the number, on a message that comes after all others, on the topic of the last one: how many "
        "there were. sub --verify knows by it what is lost of the last ones, and that it can end.",
        "stamp-count"},
       {"Before MQTT 5 the same is a line before the payload: ~stamp1, number, time, due (or -), CRC, client id, with "
        "a blank between two of them; the last message has = and the count in place of the number. sub --stamped and "
        "sub --verify take it off again. An empty retained message has none, so that the broker still forgets."},
       {"~stamp1 17 1795599000123456789 - 037bad9e lab-pub\n"
        "21.5\n"}}};
}

}  // namespace

std::vector<Chapter> pub_chapters() { return {templates(), json_lines(), stamps()}; }

}  // namespace sistem
