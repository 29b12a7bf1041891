#include "sub/chapters.hpp"

namespace sistem {
namespace {

/// What -F takes, for the manual.
std::vector<Paragraph> output_format() {
  return {
      {"Without an option each message is its payload and a newline; with -v its topic, a space and the payload. With "
       "-F it is what FORMAT says: text, in which sequences that begin with %, @ or \\ stand for something else. A "
       "sequence that is none is refused before sub connects."},
      {"A JSON object in one line, which pub --jsonl and pub --replay read again: topic, payload (payload_base64 "
       "where it is no text), qos, retain, dup where it is true, mid at QoS 1 and 2, arrival (UTC), monotonic_ns (of "
       "a clock that never jumps, for the time between two messages), and the MQTT 5 properties by the names that -D "
       "has.",
       "--json"},
      {"The topic, and below it the payload, 16 bytes a line: their place, in hexadecimal, and as ASCII.", "--hex"},
      {"A table with a heading: time, topic, qos, retain, payload, payload_base64. A payload that is no text stands "
       "in the last column.",
       "--csv"},
      {"The topic.", "%t"},
      {"The payload, as it came.", "%p"},
      {"The payload in hexadecimal, with small or capital letters. %.4x puts a blank between groups of four digits, "
       "%.4:x a colon.",
       "%x, %X"},
      {"The payload of 4 or 8 bytes as the float or the double that it is, with six decimals, as %.2f with two.",
       "%f, %d"},
      {"The length of the payload in bytes.", "%l"},
      {"The QoS with which the message came.", "%q"},
      {"1 where it was retained, else 0.", "%r"},
      {"The packet identifier; 0 at QoS 0.", "%m"},
      {"A JSON object in one line: time of arrival, topic, QoS, retain flag, length and payload, the packet "
       "identifier and the properties where there are some. --pretty gives it several lines. A payload that is no "
       "text is not shown as payload but in base64 as payload_base64.",
       "%j"},
      {"The same, with the payload as the JSON that it is itself; a message whose payload is no JSON is not printed, "
       "and a line on stderr says so.",
       "%J"},
      {"The time of arrival as 2026-03-01T12:30:00+0700.", "%I"},
      {"The time of arrival in seconds since 1970, with nanoseconds.", "%U"},
      {"MQTT 5 properties: topic alias, content type, correlation data, message expiry interval, payload format "
       "indicator, user properties (as name:value), response topic, subscription identifier; empty where the message "
       "has none.",
       "%A %C %D %E %F %P %R %S"},
      {"A percent sign.", "%%"},
      {"The running number of the message among those that are printed, from 1.", "%{n}"},
      {"The time of arrival as 2026-03-01T12:30:00.123456789+07:00.", "%{time}"},
      {"Seconds since the arrival of the message printed before, 0.000000 for the first. %.3{delta} has three "
       "decimals.",
       "%{delta}"},
      {"Of a message that its publisher has stamped (pub --stamp; user properties stamp-seq and stamp-time, before "
       "MQTT 5 with --stamped): its number, and the seconds from there to here by the clocks of both machines; else "
       "empty.",
       "%{seq} %{latency}"},
      {"The payload in base64.", "%{base64}"},
      {"A field of a JSON payload: names lead into objects, numbers into arrays, from 0; %{json:.} is all of it. A "
       "text stands there without its quotation marks, anything else as JSON; where there is none, nothing.",
       "%{json:a.0.b}"},
      {"The time of arrival as strftime(3) has it for %X: @H:@M:@S is 12:30:00. @N is the nanoseconds within the "
       "second, @@ an at sign.",
       "@X"},
      {"A backslash, NUL, bell, escape, newline, carriage return, tab, vertical tab.",
       "\\\\ \\0 \\a \\e \\n \\r \\t \\v"},
      {"A width may follow the %: %20t takes 20 bytes at least, with blanks before the topic, %-20t with blanks after "
       "it, and %-20.20t is exactly 20 bytes; so has %-20{json:a.b}. A 0 before the width pads numbers with zeros: "
       "%06l. A width of the payload (%p, %x, %X) is also how many of its bytes are shown at most."},
      {"A newline follows each message; with -N nothing, with --null a NUL, as xargs -0 has it."},
  };
}

/// What a terminal gets, for the manual.
std::vector<Paragraph> on_a_terminal() {
  return {
      {"On a terminal each message is a line with the time of its arrival, its topic in a colour of its own, "
       "[retained] where the broker had kept it, and its payload. A pipe or a file gets nothing but the bytes that "
       "Output format says."},
      {"What would act on the terminal instead of being seen is spelled out there: a newline as \\n, an escape as "
       "\\x1b. With -F that is done to what messages bring, but for newlines and tabs; an \\e in FORMAT itself is an "
       "escape. Only for who calls sub by the name mosquitto_sub all bytes go to the terminal as they are; into a "
       "pipe, as "
       "\"sub ... | cat\", they always do."},
      {"--watch and --graph draw a picture below what the terminal shows, and draw it again a few times a second; the "
       "last one stays there. Where stdout is no terminal, or TERM is dumb, --watch prints a line for each topic that "
       "had a message, once a second, and --graph a line for each number: the time, the topic, the number."},
      {"--graph FIELD takes payload or . for a payload that is a number, perhaps with a unit behind it, or the way to "
       "a number in a JSON payload: temperature, sensors.0.value."},
      {"Where nothing has come for 5 seconds, sub says to what it is connected and subscribed. --why says also which "
       "topics there are, and which of them is like the one that was asked for."},
  };
}

}  // namespace

std::vector<Chapter> sub_chapters() { return {{"Output format", output_format()}, {"Terminal", on_a_terminal()}}; }

}  // namespace sistem
