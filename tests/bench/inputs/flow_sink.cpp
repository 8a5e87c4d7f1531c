// SPDX-License-Identifier: Apache-2.0
// flow_sink PORT | FILE.ipfix: receives IPFIX, NetFlow 9 or 5 on 127.0.0.1 until
// SIGTERM, or reads an IPFIX file; counts records, adds up their packets and
// octets, prints one line of JSON. A second reader beside nfstreamctl, with
// nothing of it, and fast enough to lose nothing.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

constexpr std::uint16_t kOctets = 1, kPackets = 2, kOutOctets = 23, kOutPackets = 24, kOctetTotal = 85,
                        kPacketTotal = 86, kFrameOctets = 352;
constexpr std::uint32_t kReverse = 29305;  // RFC 5103

std::uint64_t number(const std::uint8_t* p, unsigned octets) {
    std::uint64_t value = 0;
    while (octets-- > 0) value = value << 8 | *p++;
    return value;
}
unsigned word(const std::uint8_t* p) {
    return static_cast<unsigned>(number(p, 2));
}

struct Field {
    std::uint16_t id, length;
    std::uint32_t enterprise;
};

struct Template {
    std::vector<Field> fields;
    bool options = false;
    std::size_t shortest = 0;
};

struct Totals {
    std::uint64_t messages = 0, octets_received = 0, records = 0, packets = 0, octets = 0, frame_octets = 0,
                  unreadable = 0, lost = 0;
    std::size_t fields = 0;  // of the widest template of flows
};

class Sink {
public:
    void read(const std::uint8_t* message, std::size_t size) {
        ++totals.messages;
        totals.octets_received += size;
        if (size < 16) return void(++totals.unreadable);
        switch (word(message)) {
            case 5:
                return netflow5(message, size);
            case 9:
                return size < 20 ? void() : sets(message + 20, message + size, false, number(message + 16, 4));
            case 10:
                return sequence(message), sets(message + 16, message + size, true, number(message + 12, 4));
            default:
                ++totals.unreadable;
        }
    }

    Totals totals;

private:
    void netflow5(const std::uint8_t* message, std::size_t size) {
        for (std::size_t at = 24; at + 48 <= size; at += 48) {
            ++totals.records;
            totals.packets += number(message + at + 16, 4);
            totals.octets += number(message + at + 20, 4);
        }
    }

    void sequence(const std::uint8_t* message) {  // IPFIX counts records, of all kinds, before each message
        const auto said = static_cast<std::uint32_t>(number(message + 8, 4));
        if (said != all_records_) totals.lost += said - all_records_;
        all_records_ = said;
    }

    void sets(const std::uint8_t* p, const std::uint8_t* end, bool ipfix, std::uint64_t domain) {
        while (p + 4 <= end) {
            const unsigned id = word(p), length = word(p + 2);
            if (length < 4 || p + length > end) return void(++totals.unreadable);
            const bool options = id == (ipfix ? 3 : 1);
            if (id == (ipfix ? 2 : 0) || options)
                templates(p + 4, p + length, ipfix, options, domain);
            else if (id >= 256)
                records(p + 4, p + length, domain << 16 | id);
            p += length;
        }
    }

    void templates(const std::uint8_t* p, const std::uint8_t* end, bool ipfix, bool options, std::uint64_t domain) {
        while (p + 4 <= end) {
            const unsigned id = word(p);
            unsigned count = word(p + 2);
            p += 4;
            if (id < 256) return;
            if (options) {
                if (p + 2 > end) return;
                if (!ipfix) count = (count + word(p)) / 4;  // there in octets, of scope and of options
                p += 2;
            }
            Template made{{}, options, 0};
            for (; count > 0 && p + 4 <= end; --count) {
                Field field{static_cast<std::uint16_t>(word(p)), static_cast<std::uint16_t>(word(p + 2)), 0};
                p += 4;
                if (ipfix && field.id & 0x8000 && p + 4 <= end) {
                    field.id &= 0x7fff;
                    field.enterprise = static_cast<std::uint32_t>(number(p, 4));
                    p += 4;
                }
                made.shortest += field.length == 0xffff ? 1 : field.length;
                made.fields.push_back(field);
            }
            if (!options && made.fields.size() > totals.fields) totals.fields = made.fields.size();
            templates_[domain << 16 | id] = std::move(made);
        }
    }

    void records(const std::uint8_t* p, const std::uint8_t* end, std::uint64_t id) {
        const auto found = templates_.find(id);
        if (found == templates_.end() || found->second.shortest == 0) return void(++totals.unreadable);
        const Template& layout = found->second;
        while (p + layout.shortest <= end && record(layout, p, end)) ++all_records_;
    }

    bool record(const Template& layout, const std::uint8_t*& p, const std::uint8_t* end) {
        std::uint64_t packets = 0, octets = 0, frame_octets = 0;
        for (const Field& field : layout.fields) {
            std::size_t length = field.length;
            if (length == 0xffff) {
                if (p >= end) return false;
                length = *p++;
                if (length == 255) {
                    if (p + 2 > end) return false;
                    length = word(p);
                    p += 2;
                }
            }
            if (p + length > end) return false;
            const bool known = field.enterprise == 0 || field.enterprise == kReverse;
            if (known && (field.id == kPackets || field.id == kPacketTotal || field.id == kOutPackets))
                packets += number(p, static_cast<unsigned>(length));
            else if (known && (field.id == kOctets || field.id == kOctetTotal || field.id == kOutOctets))
                octets += number(p, static_cast<unsigned>(length));
            else if (known && field.id == kFrameOctets)
                frame_octets += number(p, static_cast<unsigned>(length));
            p += length;
        }
        if (layout.options) return true;
        ++totals.records;
        totals.packets += packets;
        totals.octets += octets;
        totals.frame_octets += frame_octets;
        return true;
    }

    std::unordered_map<std::uint64_t, Template> templates_;
    std::uint32_t all_records_ = 0;
};

volatile std::sig_atomic_t stopping = 0;

int listen_on(const char* port) {
    const int link = socket(AF_INET, SOCK_DGRAM, 0);
    const int buffer = 512 << 20;
    setsockopt(link, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return bind(link, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? link : -1;
}

void receive(int link, Sink& sink) {
    constexpr std::size_t kBatch = 64, kLargest = 65536;
    std::vector<std::uint8_t> octets(kBatch * kLargest);
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> parts{};
    for (std::size_t i = 0; i < kBatch; ++i) {
        parts[i] = {&octets[i * kLargest], kLargest};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (int quiet = 0; quiet < 2;) {  // what is on its way at SIGTERM counts, too
        pollfd ready{link, POLLIN, 0};
        if (poll(&ready, 1, 100) <= 0) {
            if (stopping) ++quiet;
            continue;
        }
        const int n = recvmmsg(link, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
        for (int i = 0; i < n; ++i)
            sink.read(&octets[static_cast<std::size_t>(i) * kLargest], messages[static_cast<std::size_t>(i)].msg_len);
    }
}

bool read_file(const char* path, Sink& sink) {
    std::FILE* file = std::fopen(path, "rb");
    if (file == nullptr) return false;
    constexpr std::size_t kHeader = 4;
    std::vector<std::uint8_t> message(65536);
    while (std::fread(message.data(), kHeader, 1, file) == 1) {
        const std::size_t length = word(&message[2]);
        if (length < 16 || std::fread(&message[kHeader], length - kHeader, 1, file) != 1) {
            ++sink.totals.unreadable;
            break;
        }
        sink.read(message.data(), length);
    }
    std::fclose(file);
    return true;
}

bool collect(const char* port, Sink& sink) {
    const int link = listen_on(port);
    if (link < 0) return false;
    struct sigaction action {};
    action.sa_handler = [](int) { stopping = 1; };
    sigaction(SIGTERM, &action, nullptr);
    std::printf("ready\n");
    std::fflush(stdout);
    receive(link, sink);
    close(link);
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: flow_sink PORT | FILE.ipfix\n");
        return 2;
    }
    Sink sink;
    const bool is_port = std::string_view(argv[1]).find_first_not_of("0123456789") == std::string_view::npos;
    if (!(is_port ? collect(argv[1], sink) : read_file(argv[1], sink))) {
        std::perror(argv[1]);
        return 1;
    }
    const Totals& t = sink.totals;
    std::printf(
        "{\"messages\":%lu,\"received\":%lu,\"records\":%lu,\"packets\":%lu,\"octets\":%lu,"
        "\"frame_octets\":%lu,\"fields\":%zu,\"lost\":%lu,\"unreadable\":%lu}\n",
        t.messages, t.octets_received, t.records, t.packets, t.octets, t.frame_octets, t.fields, t.lost, t.unreadable);
    return 0;
}
