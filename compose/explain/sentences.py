"""All words of the reports, in English and in Indonesian, and how numbers stand in them.

A sentence is a key with its two versions side by side; both have the same placeholders (a test compares them).
"""

import re
from typing import Any

from capture import Frame

LANGUAGES = ("en", "id")

# A frame's number is marked in a sentence, so that a report can make it a link to that frame.
_MARKED = re.compile("\x02(\\d+)\x03")

SENTENCES: dict[str, tuple[str, str]] = {
    # ---- who is who
    "who_broker": ("{name} is the broker: connections go to {address}, port {port} ({count} here).",
                   "{name} adalah broker: koneksi menuju ke {address}, port {port} (di sini {count})."),
    "who_publisher": ("{name} ({address}, port {port}) is a publisher: it sent {sent} PUBLISH, the first in frame {frame}.",
                      "{name} ({address}, port {port}) adalah publisher: ia mengirim {sent} PUBLISH, yang pertama di frame {frame}."),
    "who_subscriber": ("{name} ({address}, port {port}) is a subscriber: it got {got} PUBLISH; see frame {frame}.",
                       "{name} ({address}, port {port}) adalah subscriber: ia menerima {got} PUBLISH; lihat frame {frame}."),
    "who_both": ("{name} ({address}, port {port}) publishes and subscribes: it sent {sent} PUBLISH, the first in frame {frame}, and got {got}.",
                 "{name} ({address}, port {port}) menjadi publisher sekaligus subscriber: ia mengirim {sent} PUBLISH, yang pertama di frame {frame}, dan menerima {got}."),
    "who_neither": ("{name} ({address}, port {port}) neither published nor subscribed; its connection begins in frame {frame}.",
                    "{name} ({address}, port {port}) tidak mengirim dan tidak berlangganan; koneksinya mulai di frame {frame}."),
    # ---- ARP
    "arp": ("Frames {request} and {reply}: ARP: {asker} asked which Ethernet address {asked} has; the answer is {hardware}.",
            "Frame {request} dan {reply}: ARP: {asker} bertanya apa alamat Ethernet {asked}; jawabannya {hardware}."),
    "arp_again": ("The same was asked again later, as the answer is kept for a while only: frames {frames}.",
                  "Hal yang sama ditanyakan lagi kemudian, karena jawabannya hanya disimpan sebentar: frame {frames}."),
    "arp_none": ("No ARP here: the hosts knew each other's Ethernet addresses already, or talked over loopback, which has none.",
                 "Tidak ada ARP di sini: host sudah saling tahu alamat Ethernet-nya, atau berbicara lewat loopback, yang tidak memakainya."),
    "arp_unanswered": ("Frame {request}: ARP: {asker} asked for {asked} and nobody answered: no host here has that address.",
                       "Frame {request}: ARP: {asker} mencari {asked} dan tidak ada yang menjawab: tidak ada host di sini yang memiliki alamat itu."),
    # ---- the connection and the session
    "handshake": ("Frames {syn}, {syn_ack} and {ack}: TCP's handshake of {client} with {broker}: SYN, SYN-ACK, ACK. The round trip from SYN to SYN-ACK took {time}.",
                  "Frame {syn}, {syn_ack} dan {ack}: handshake TCP {client} dengan {broker}: SYN, SYN-ACK, ACK. Waktu pulang-pergi dari SYN ke SYN-ACK {time}."),
    "handshake_missing": ("The connection of {client} was there before the capture began: no handshake; its first frame is {frame}.",
                          "Koneksi {client} sudah ada sebelum rekaman dimulai: tidak ada handshake; frame pertamanya {frame}."),
    "handshake_refused": ("Frames {syn} and {reset}: {client} asked {broker} for a connection and got a RST: no program listens on that port.",
                          "Frame {syn} dan {reset}: {client} meminta koneksi ke {broker} dan mendapat RST: tidak ada program yang mendengarkan di port itu."),
    "handshake_silent": ("Frame {syn}: {client} asked {broker} for a connection and nobody answered: the machine is down, or something between drops the packets.",
                         "Frame {syn}: {client} meminta koneksi ke {broker} dan tidak ada yang menjawab: mesinnya mati, atau ada yang membuang paket di antaranya."),
    "handshake_half": ("Frames {syn} and {syn_ack}: {broker} answered {client}, but the third step of the handshake is missing.",
                       "Frame {syn} dan {syn_ack}: {broker} menjawab {client}, tetapi langkah ketiga handshake tidak ada."),
    "connect": ("Frame {frame}: CONNECT: {client} introduces itself: {version}, client id {id}, {session}, keep alive {keep_alive} s{extras}.",
                "Frame {frame}: CONNECT: {client} memperkenalkan diri: {version}, client id {id}, {session}, keep alive {keep_alive} s{extras}."),
    "connect_missing": ("Frame {frame}: {client} opened a TCP connection and stayed silent: no CONNECT, so for MQTT it is nobody.",
                        "Frame {frame}: {client} membuka koneksi TCP lalu diam: tidak ada CONNECT, jadi bagi MQTT ia bukan siapa-siapa."),
    "connect_missing_data": ("Frame {frame}: {client} sent bytes that are no CONNECT: not MQTT, or not for this port.",
                             "Frame {frame}: {client} mengirim byte yang bukan CONNECT: bukan MQTT, atau bukan untuk port ini."),
    "encrypted": ("The connection of {client} is encrypted by TLS. To read it, let the tool write a key log (--tls-keylog FILE) and give it to --keylog.",
                  "Koneksi {client} dienkripsi TLS. Untuk membacanya, biarkan alat menulis catatan kunci (--tls-keylog FILE) lalu berikan ke --keylog."),
    "connack": ("Frame {frame}: CONNACK code 0: the broker accepted the client.",
                "Frame {frame}: CONNACK kode 0: broker menerima klien."),
    "connack_refused": ("Frame {frame}: CONNACK code {code} ({reason}): the broker refused the client.",
                        "Frame {frame}: CONNACK kode {code} ({reason}): broker menolak klien."),
    "connack_missing": ("Frame {frame}: CONNECT has no CONNACK: the broker is silent, though its machine took the connection.",
                        "Frame {frame}: CONNECT tidak dibalas CONNACK: broker diam, walaupun mesinnya menerima koneksi."),
    "session_present": ("Frame {frame}: CONNACK says session present: the broker still knew this client and its subscriptions.",
                        "Frame {frame}: CONNACK menyatakan session present: broker masih mengenal klien ini beserta langganannya."),
    "server_keep_alive": ("Frame {frame}: the broker sets the keep alive to {seconds} s (Server Keep Alive).",
                          "Frame {frame}: broker menetapkan keep alive menjadi {seconds} s (Server Keep Alive)."),
    "id_assigned": ("Frame {frame}: the client had no client id; the broker gave it {id}.",
                    "Frame {frame}: klien tidak membawa client id; broker memberinya {id}."),
    "pings": ("Frames {request} and {answer}: PINGREQ and PINGRESP: {client} shows that it is alive when it has nothing to say ({count} times).",
              "Frame {request} dan {answer}: PINGREQ dan PINGRESP: {client} menunjukkan bahwa ia masih hidup saat tidak ada yang dikirim ({count} kali)."),
    "ping_unanswered": ("Frame {frame}: PINGREQ has no PINGRESP: the broker is silent.",
                        "Frame {frame}: PINGREQ tidak dibalas PINGRESP: broker diam."),
    "subscription": ("Frames {request} and {answer}: SUBSCRIBE and SUBACK: {client} asked for {filter} and was granted QoS {granted}.",
                     "Frame {request} dan {answer}: SUBSCRIBE dan SUBACK: {client} meminta {filter} dan diberi QoS {granted}."),
    "subscription_less": ("Frames {request} and {answer}: SUBSCRIBE and SUBACK: {client} asked for {filter} with QoS {asked} and was granted only QoS {granted}.",
                          "Frame {request} dan {answer}: SUBSCRIBE dan SUBACK: {client} meminta {filter} dengan QoS {asked} dan hanya diberi QoS {granted}."),
    "subscription_refused": ("Frames {request} and {answer}: SUBACK code {granted}: the broker refused {client} the topic filter {filter}.",
                             "Frame {request} dan {answer}: SUBACK kode {granted}: broker menolak filter topik {filter} dari {client}."),
    "suback_missing": ("Frame {request}: SUBSCRIBE of {client} for {filter} has no SUBACK.",
                       "Frame {request}: SUBSCRIBE dari {client} untuk {filter} tidak dibalas SUBACK."),
    "more_connections": ("{count} further connections are not told one by one; what went wrong with them is.",
                         "{count} koneksi lain tidak diceritakan satu per satu; yang bermasalah tetap disebut."),
    # ---- messages
    "topic": ("{topic}: {count} messages of {client}, {size} of payload, QoS {qos}{kept}, on the average every {interval} with a jitter of {jitter}; the first in frame {frame}.",
              "{topic}: {count} pesan dari {client}, payload {size}, QoS {qos}{kept}, rata-rata tiap {interval} dengan jitter {jitter}; yang pertama di frame {frame}."),
    "publish": ("Frame {frame}: PUBLISH: {client} sent {size} of payload on the topic name {topic}, QoS {qos}{kept}.",
                "Frame {frame}: PUBLISH: {client} mengirim payload {size} ke topik {topic}, QoS {qos}{kept}."),
    "publish_clears": ("Frame {frame}: PUBLISH: {client} sent an empty retained message on {topic}: the broker forgets the one that it kept there.",
                       "Frame {frame}: PUBLISH: {client} mengirim pesan retained kosong ke {topic}: broker melupakan pesan yang disimpannya di sana."),
    "no_subscriber": ("{topic}: no subscriber in this capture asked for it: what {client} published there ({count}) went to the broker and no further; see frame {frame}.",
                      "{topic}: tidak ada subscriber di rekaman ini yang memintanya: yang dikirim {client} ke sana ({count}) sampai di broker dan berhenti di situ; lihat frame {frame}."),
    "more_topics": ("{count} further topics are in the tables.", "{count} topik lain ada di tabel."),
    "retained_sent": ("Frame {frame}: PUBLISH with RETAIN to {client}: the broker had kept the last message on {topic} for whoever subscribes later.",
                      "Frame {frame}: PUBLISH dengan RETAIN ke {client}: broker menyimpan pesan terakhir di {topic} untuk siapa pun yang berlangganan kemudian."),
    "more_retained": ("{count} further messages that the broker had kept.", "{count} pesan lain yang disimpan broker."),
    "forward": ("The broker passed {count} messages on to subscribers: half of them within {p50}, 99 % within {p99}, all within {max} (see frames {into} and {out}).",
                "Broker meneruskan {count} pesan ke subscriber: setengahnya dalam {p50}, 99 % dalam {p99}, semuanya dalam {max} (lihat frame {into} dan {out})."),
    "forward_one": ("Frames {into} and {out}: the broker passed the message on to a subscriber within {max}.",
                    "Frame {into} dan {out}: broker meneruskan pesan itu ke subscriber dalam {max}."),
    # ---- acknowledgements of both layers
    "ack_qos0": ("Frame {frame}: PUBLISH with QoS 0 has one acknowledgement, TCP's ACK in frame {ack} after {time}: the bytes have reached the machine of {receiver}. MQTT answers nothing.",
                 "Frame {frame}: PUBLISH dengan QoS 0 hanya punya satu konfirmasi, yaitu ACK dari TCP di frame {ack} setelah {time}: byte-nya sampai di mesin {receiver}. MQTT tidak menjawab apa-apa."),
    "ack_qos1": ("Frame {frame}: PUBLISH with QoS 1, packet id {id}, has two acknowledgements: TCP's ACK in frame {ack} after {time} is for the bytes, MQTT's PUBACK in frame {puback} after {puback_time} for the message: only it says that {receiver} has taken it over.",
                 "Frame {frame}: PUBLISH dengan QoS 1, packet id {id}, punya dua konfirmasi: ACK dari TCP di frame {ack} setelah {time} untuk byte-nya, PUBACK dari MQTT di frame {puback} setelah {puback_time} untuk pesannya: hanya PUBACK yang menyatakan bahwa {receiver} telah mengambil alih pesan."),
    "ack_qos1_together": ("Frame {frame}: PUBLISH with QoS 1, packet id {id}, has two acknowledgements in one frame, {puback}, after {puback_time}: its TCP header has the ACK for the bytes (frame {ack}, {time}), its content is MQTT's PUBACK for the message: only that says that {receiver} has taken it over.",
                          "Frame {frame}: PUBLISH dengan QoS 1, packet id {id}, punya dua konfirmasi dalam satu frame, {puback}, setelah {puback_time}: header TCP-nya memuat ACK untuk byte (frame {ack}, {time}), isinya PUBACK dari MQTT untuk pesan: hanya PUBACK yang menyatakan bahwa {receiver} telah mengambil alih pesan."),
    "ack_qos2": ("Frame {frame}: PUBLISH with QoS 2, packet id {id}: TCP's ACK for the bytes is in frame {ack} after {time}; MQTT takes three more packets to have the message exactly once: PUBREC in {pubrec}, PUBREL in {pubrel}, PUBCOMP in {pubcomp}, together {total}. Then {receiver} has it, once.",
                 "Frame {frame}: PUBLISH dengan QoS 2, packet id {id}: ACK dari TCP untuk byte ada di frame {ack} setelah {time}; MQTT memakai tiga paket lagi agar pesan sampai tepat satu kali: PUBREC di {pubrec}, PUBREL di {pubrel}, PUBCOMP di {pubcomp}, seluruhnya {total}. Setelah itu {receiver} memilikinya, satu kali."),
    "ack_counts": ("In all: {pure} ACKs of TCP without data beside {puback} PUBACK, {pubrec} PUBREC and {pubcomp} PUBCOMP of MQTT. The first are about bytes, the others about messages.",
                   "Seluruhnya: {pure} ACK dari TCP tanpa data di samping {puback} PUBACK, {pubrec} PUBREC dan {pubcomp} PUBCOMP dari MQTT. Yang pertama tentang byte, yang lain tentang pesan."),
    "answer_missing": ("Frame {frame}: PUBLISH on {topic}, packet id {id}, has no {kind} in this capture: its sender does not know that it was taken over.",
                       "Frame {frame}: PUBLISH ke {topic}, packet id {id}, tidak mendapat {kind} di rekaman ini: pengirimnya tidak tahu apakah pesan sudah diambil alih."),
    "publish_refused": ("Frames {frame} and {answer}: {kind} code {code} ({reason}): the broker refused the message on {topic}, packet id {id}.",
                        "Frame {frame} dan {answer}: {kind} kode {code} ({reason}): broker menolak pesan di {topic}, packet id {id}."),
    "no_matching": ("Frames {frame} and {answer}: {kind} says that nobody subscribes to {topic} (packet id {id}).",
                    "Frame {frame} dan {answer}: {kind} menyatakan bahwa tidak ada yang berlangganan {topic} (packet id {id})."),
    # ---- the network
    "nothing_lost": ("TCP sent nothing twice: no packet was lost on the way.",
                     "TCP tidak mengirim apa pun dua kali: tidak ada paket yang hilang di jalan."),
    "retransmission": ("Frame {frame}: TCP retransmission: the {bytes} bytes of frame {original} were sent again after {time}, as no ACK for them had come: they, or their ACK, were lost or late.",
                       "Frame {frame}: retransmisi TCP: {bytes} byte dari frame {original} dikirim lagi setelah {time}, karena ACK-nya belum datang: byte itu, atau ACK-nya, hilang atau terlambat."),
    "retransmission_alone": ("Frame {frame}: TCP retransmission of {bytes} bytes that this capture has not seen before.",
                             "Frame {frame}: retransmisi TCP sebanyak {bytes} byte yang sebelumnya tidak terlihat di rekaman ini."),
    "out_of_order": ("Frame {frame}: {bytes} bytes came after others that were sent later: those overtook them, or they were lost before this capture could see them, and sent again.",
                     "Frame {frame}: {bytes} byte datang setelah byte lain yang dikirim kemudian: byte itu tersalip, atau hilang sebelum terlihat di rekaman ini lalu dikirim lagi."),
    "syn_again": ("Frame {frame}: SYN was sent again ({bytes} bytes of data): nobody had answered the one before.",
                  "Frame {frame}: SYN dikirim lagi ({bytes} byte data): yang sebelumnya tidak dijawab."),
    "duplicate_acks": ("{at}: duplicate ACKs ({count}) on the connection of {client}: the receiver says again up to where it has all bytes, because some after that are missing.",
                       "{at}: ACK ganda ({count}) pada koneksi {client}: penerima mengulang sampai byte mana semuanya sudah ada, karena ada yang hilang setelahnya."),
    "not_captured": ("{at}: the capture itself missed packets before: that is no fault of the network.",
                     "{at}: rekaman ini sendiri kehilangan paket sebelumnya: itu bukan kesalahan jaringan."),
    "zero_window": ("{at}: {who} has no room for further bytes (window 0): it reads too slowly.",
                    "{at}: {who} tidak punya ruang untuk byte berikutnya (window 0): ia membaca terlalu lambat."),
    "dup": ("{at}: PUBLISH with DUP of {client}: MQTT sent a message again that had not been acknowledged.",
            "{at}: PUBLISH dengan DUP dari {client}: MQTT mengirim lagi pesan yang belum dikonfirmasi."),
    "step": ("Frames {before}, {ack} and {after}: a step of about 40 ms ({client}): the receiver held its ACK back for {time} (delayed ACK), and {who} waited for that ACK with the next bytes (Nagle's algorithm). TCP_NODELAY at the sender ends that.",
             "Frame {before}, {ack} dan {after}: langkah sekitar 40 ms ({client}): penerima menahan ACK selama {time} (delayed ACK), dan {who} menunggu ACK itu sebelum mengirim byte berikutnya (algoritma Nagle). TCP_NODELAY di pengirim mengakhirinya."),
    "steps": ("{client}: {count} steps of about 40 ms. In frames {before}, {ack} and {after}: the receiver held its ACK back for {time} (delayed ACK), and {who} waited for that ACK with the next bytes (Nagle's algorithm). TCP_NODELAY at the sender ends that.",
              "{client}: {count} langkah sekitar 40 ms. Di frame {before}, {ack} dan {after}: penerima menahan ACK selama {time} (delayed ACK), dan {who} menunggu ACK itu sebelum mengirim byte berikutnya (algoritma Nagle). TCP_NODELAY di pengirim mengakhirinya."),
    "delayed_ack": ("Frames {frame} and {ack}: TCP's ACK came {time} after the bytes: the receiver waited for data that it could ride on (delayed ACK). Nobody waited for it: nothing is wrong.",
                    "Frame {frame} dan {ack}: ACK dari TCP datang {time} setelah byte-nya: penerima menunggu data yang bisa ditumpangi (delayed ACK). Tidak ada yang menunggunya: tidak ada masalah."),
    # ---- the end
    "end_clean": ("Frames {frame} and {closing}: {client} said DISCONNECT, then TCP closed: a clean end, so the broker publishes no will.",
                  "Frame {frame} dan {closing}: {client} mengirim DISCONNECT, lalu TCP ditutup: akhir yang bersih, jadi broker tidak menerbitkan will."),
    "end_clean_open": ("Frame {frame}: {client} said DISCONNECT: a clean end; the capture ends before TCP's own.",
                       "Frame {frame}: {client} mengirim DISCONNECT: akhir yang bersih; rekaman berhenti sebelum akhir TCP."),
    "end_with_will": ("Frame {frame}: {client} said DISCONNECT and asked for its will to be published (reason code 4).",
                      "Frame {frame}: {client} mengirim DISCONNECT dan meminta will-nya diterbitkan (reason code 4)."),
    "end_by_broker": ("Frame {frame}: the broker sent DISCONNECT code {code} ({reason}) and ended the connection of {client}.",
                      "Frame {frame}: broker mengirim DISCONNECT kode {code} ({reason}) dan mengakhiri koneksi {client}."),
    "end_open": ("The connection of {client} still stood when the capture ended.",
                 "Koneksi {client} masih terbuka saat rekaman berakhir."),
    "end_refused": ("Frame {frame}: after the refusal the connection of {client} is closed, as it must be.",
                    "Frame {frame}: setelah penolakan, koneksi {client} ditutup, sebagaimana mestinya."),
    "end_silent": ("Frame {frame}: the TCP connection of {client} was closed without a word of MQTT.",
                   "Frame {frame}: koneksi TCP {client} ditutup tanpa sepatah kata MQTT."),
    "end_fin_client": ("Frame {frame}: {client} closed the connection (FIN) without DISCONNECT: an unclean end, as of a killed program. If it had a will, the broker publishes it.",
                       "Frame {frame}: {client} menutup koneksi (FIN) tanpa DISCONNECT: akhir yang tidak bersih, seperti program yang dihentikan paksa. Jika punya will, broker menerbitkannya."),
    "end_fin_broker": ("Frame {frame}: the broker closed the connection of {client} (FIN) without a word of MQTT.",
                       "Frame {frame}: broker menutup koneksi {client} (FIN) tanpa pesan MQTT."),
    "end_reset_client": ("Frame {frame}: {client} reset the connection (RST): an unclean end. If it had a will, the broker publishes it.",
                         "Frame {frame}: {client} memutus koneksi (RST): akhir yang tidak bersih. Jika punya will, broker menerbitkannya."),
    "end_reset_broker": ("Frame {frame}: the broker reset the connection of {client} (RST).",
                         "Frame {frame}: broker memutus koneksi {client} (RST)."),
    "taken_over": ("Frames {connect} and {ended}: another client connected with the client id {id}, so the broker ended the first one's connection: an id belongs to one client at a time.",
                   "Frame {connect} dan {ended}: klien lain tersambung dengan client id {id}, jadi broker mengakhiri koneksi yang pertama: satu id hanya untuk satu klien pada satu waktu."),
    "will_sent": ("Frame {frame}: the broker published the will of {client} on {topic}.",
                  "Frame {frame}: broker menerbitkan will milik {client} di {topic}."),
    "cut_short": ("The file ends in the midst of a frame: the recording was cut off.",
                  "Berkas ini berakhir di tengah frame: rekaman terpotong."),
    "more_frames": ("Only the first {count} frames were read.", "Hanya {count} frame pertama yang dibaca."),
    "more_faults": ("... and {count} more like these.", "... dan {count} lagi yang serupa."),
    # ---- what the tools said
    "log_joined": ("{file}: {joined} of {lines} lines with a packet or a time are joined with their frames, on the average {time} apart.",
                   "{file}: {joined} dari {lines} baris yang memuat paket atau waktu telah dicocokkan dengan frame-nya, rata-rata berselisih {time}."),
    # ---- parts of sentences
    "the_broker": ("the broker", "broker"),
    "the_subscriber": ("the subscriber", "subscriber"),
    "session_clean": ("clean session", "sesi bersih (clean session)"),
    "session_clean_start": ("clean start", "mulai bersih (clean start)"),
    "session_kept": ("a session that is to be kept", "sesi yang disimpan"),
    "with_user": (", user name {user}", ", nama pengguna {user}"),
    "with_user_and_password": (", user name {user} and a password", ", nama pengguna {user} dan kata sandi"),
    "with_will": (", a will for {will}", ", will untuk {will}"),
    "all_retained": (", retained", ", retained"),
    "some_retained": (", {retained} of them retained", ", {retained} di antaranya retained"),
    "bytes": ("{count} bytes", "{count} byte"),
    "byte": ("{count} byte", "{count} byte"),
    "bytes_from_to": ("{low} to {high} bytes", "{low} sampai {high} byte"),
    "empty": ("(empty)", "(kosong)"),
    "at_frame": ("Frame {frames}", "Frame {frames}"),
    "at_frames": ("Frames {frames}", "Frame {frames}"),
    "and": (" and ", " dan "),
    "more_numbers": ("{numbers} and {count} more", "{numbers} dan {count} lagi"),
    # ---- the report around them
    "title": ("What the capture says", "Isi rekaman"),
    "subtitle": ("{file}: {frames} frames in {time}, from {begin}", "{file}: {frames} frame dalam {time}, mulai {begin}"),
    "skip": ("To the findings", "Langsung ke temuan"),
    "contents": ("Contents", "Daftar isi"),
    "all_well": ("Nothing went wrong.", "Tidak ada yang salah."),
    "wrong_count": ("Findings that need a look: {count}. They are marked with !", "Temuan yang perlu dilihat: {count}. Tandanya !"),
    "wrong_mark": ("needs a look:", "perlu dilihat:"),
    "findings": ("Findings", "Temuan"),
    "section_who": ("Who is who", "Siapa siapa"),
    "section_arp": ("ARP: finding the neighbour", "ARP: mencari tetangga"),
    "section_session": ("Connecting and subscribing", "Menyambung dan berlangganan"),
    "section_messages": ("Messages", "Pesan"),
    "section_acknowledgements": ("Acknowledgements: TCP's and MQTT's", "Konfirmasi: milik TCP dan milik MQTT"),
    "section_network": ("The network", "Jaringan"),
    "section_end": ("The end", "Akhir"),
    "section_log": ("What the tools said", "Kata alatnya"),
    "ladder": ("The conversation", "Percakapan"),
    "ladder_hint": ("Time runs down. Each line is a frame: ARP, TCP alone, or MQTT inside TCP.",
                    "Waktu berjalan ke bawah. Tiap baris satu frame: ARP, TCP saja, atau MQTT di dalam TCP."),
    "folded": ("{count} frames like those before, {first} to {last}: {what}", "{count} frame serupa, {first} sampai {last}: {what}"),
    "not_drawn": ("{count} further clients are not drawn.", "{count} klien lain tidak digambar."),
    "carries_ack": ("with TCP's ACK for frame {frame}", "beserta ACK TCP untuk frame {frame}"),
    "acks": ("for frame {frame}", "untuk frame {frame}"),
    "sent_again": ("sent again", "dikirim lagi"),
    "everybody": ("everybody", "semua"),
    "charts": ("Pictures of the messages", "Gambar pesan"),
    "chart_timeline": ("When messages were published, by topic", "Kapan pesan diterbitkan, per topik"),
    "chart_timeline_x": ("seconds since the first frame", "detik sejak frame pertama"),
    "chart_sizes": ("Sizes of payloads", "Ukuran payload"),
    "chart_sizes_x": ("bytes", "byte"),
    "chart_intervals": ("Time between messages on one topic", "Jarak waktu antarpesan pada satu topik"),
    "chart_intervals_x": ("milliseconds", "milidetik"),
    "chart_y": ("messages", "pesan"),
    "chart_none": ("There are too few messages for pictures.", "Pesannya terlalu sedikit untuk digambar."),
    "other_topics": ("other topics", "topik lain"),
    "topics": ("By topic", "Per topik"),
    "col_topic": ("topic name", "topik"),
    "col_messages": ("messages", "pesan"),
    "col_delivered": ("passed on", "diteruskan"),
    "col_qos": ("QoS", "QoS"),
    "col_retained": ("retained", "retained"),
    "col_bytes": ("payload", "payload"),
    "col_interval": ("interval", "jarak waktu"),
    "col_jitter": ("jitter (standard deviation)", "jitter (simpangan baku)"),
    "acks_side_by_side": ("Acknowledgements side by side", "Konfirmasi berdampingan"),
    "col_message": ("PUBLISH", "PUBLISH"),
    "col_from_to": ("from, to", "dari, ke"),
    "col_tcp": ("TCP: the bytes arrived", "TCP: byte sampai"),
    "col_mqtt": ("MQTT: the message was taken", "MQTT: pesan diambil alih"),
    "qos0_nothing": ("nothing, by design", "tidak ada, memang begitu"),
    "rows_left": ("{count} further rows are left out.", "{count} baris lain tidak dimuat."),
    "anatomy": ("One PUBLISH, byte by byte", "Satu PUBLISH, byte demi byte"),
    "anatomy_hint": ("Frame {frame} has {size}: {parts}. These are the bytes of MQTT:",
                     "Frame {frame} terdiri dari {size}: {parts}. Inilah byte milik MQTT:"),
    "col_byte": ("byte", "byte"),
    "col_hex": ("hexadecimal", "heksadesimal"),
    "col_meaning": ("meaning", "arti"),
    "part_type": ("fixed header: type 3 is PUBLISH; DUP {dup}, QoS {qos}, RETAIN {retain}",
                  "fixed header: tipe 3 adalah PUBLISH; DUP {dup}, QoS {qos}, RETAIN {retain}"),
    "part_length": ("Remaining Length: {value} bytes follow", "Remaining Length: masih ada {value} byte"),
    "part_topic_length": ("length of the topic name: {value} bytes", "panjang nama topik: {value} byte"),
    "part_topic": ("topic name: {value}", "nama topik: {value}"),
    "part_id": ("packet identifier: {value}; the answer will name it", "packet identifier: {value}; jawabannya menyebut nomor ini"),
    "part_properties": ("properties of MQTT 5", "properti MQTT 5"),
    "part_payload": ("payload: {value}", "payload: {value}"),
    "frames": ("All frames", "Semua frame"),
    "col_number": ("frame", "frame"),
    "col_time": ("time", "waktu"),
    "col_from": ("from", "dari"),
    "col_to": ("to", "ke"),
    "col_layer": ("layer", "lapisan"),
    "col_what": ("what", "isi"),
    "col_size": ("bytes", "byte"),
    "col_said": ("said by the tools", "kata alat"),
    "made_by": ("Read by tshark, explained by compose/analyze.", "Dibaca oleh tshark, dijelaskan oleh compose/analyze."),
    # ---- for the command line
    "no_mqtt": ("no MQTT on port {ports} in {file}", "tidak ada MQTT di port {ports} dalam {file}"),
    "other_ports": ("connections went to port {ports}: say which with --port",
                    "koneksi menuju ke port {ports}: sebutkan dengan --port"),
}

# Values that are lengths of time, in nanoseconds.
_TIMES = {"time", "interval", "jitter", "p50", "p99", "max", "puback_time", "total"}
_NUMBERS_SHOWN = 12


def span(nanoseconds: float) -> str:
    """A length of time with three significant digits, in the unit that suits it."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(nanoseconds) >= size:
            value = nanoseconds / size
            return f"{value:.{max(0, 2 - len(str(int(abs(value)))) + 1)}f} {unit}"
    return f"{nanoseconds:.0f} ns"


def printable(text: str) -> str:
    """Text from the wire, with nothing in it that acts on a terminal or a page."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


class Words:
    """The sentences of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._at = LANGUAGES.index(language)

    def say(self, key: str, **values: Any) -> str:
        """The sentence, with marked frame numbers in it."""
        return SENTENCES[key][self._at].format(**{name: self._shown(name, value) for name, value in
                                                  self._derived(key, values).items()})

    def plain(self, key: str, **values: Any) -> str:
        return unmarked(self.say(key, **values))

    def size(self, count: int) -> str:
        return self.say("byte" if count == 1 else "bytes", count=count)

    def _shown(self, name: str, value: Any) -> str:
        if isinstance(value, Frame):
            return f"\x02{value.number}\x03"
        if isinstance(value, list):
            shown = [self._shown("", each) for each in value[:_NUMBERS_SHOWN]]
            if len(value) > len(shown):
                return self.say("more_numbers", numbers=", ".join(shown), count=len(value) - len(shown))
            return ", ".join(shown[:-1]) + self.say("and") + shown[-1] if len(shown) > 1 else "".join(shown)
        if name in _TIMES:
            return span(value)
        if name == "size" and isinstance(value, int):
            return self.size(value)
        if name in ("receiver", "who") and value in SENTENCES:
            return self.say(value)
        return value if name in ("numbers", "extras", "kept", "size", "session", "what", "parts", "at") else printable(str(value))

    def _derived(self, key: str, values: dict[str, Any]) -> dict[str, Any]:
        values = dict(values)
        if key == "connect":
            extras = ""
            if values["user"]:
                extras += self.say("with_user_and_password" if values["password"] else "with_user", user=values["user"])
            if values["will"]:
                extras += self.say("with_will", will=values["will"])
            values |= {"extras": extras, "id": values["id"] or self.say("empty"),
                       "session": self.say("session_kept" if not values["clean"] else "session_clean_start"
                                           if values["version"] == "MQTT 5" else "session_clean")}
        if "frames" in values and key not in ("at_frame", "at_frames", "subtitle"):
            values["at"] = self.say("at_frame" if len(values["frames"]) == 1 else "at_frames", frames=values["frames"])
        if "sizes" in values:
            low, high = values["sizes"]
            values.setdefault("size", self.size(low) if low == high else self.say("bytes_from_to", low=low, high=high))
        if "retained" in values and key != "some_retained":
            count, of = values["retained"], values["count"] if key == "topic" else 1
            values["kept"] = "" if not count else self.say("all_retained") if count == of else self.say(
                "some_retained", retained=count)
        return values


def unmarked(text: str) -> str:
    return _MARKED.sub(r"\1", text)


def linked(text: str, link: Any) -> str:
    """The text with `link(number)` in the place of each marked frame number; both are taken as they are."""
    return _MARKED.sub(lambda match: link(int(match[1])), text)
