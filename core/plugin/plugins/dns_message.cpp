// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/plugins/dns_message.hpp"

namespace nfstreamd::plugins {
namespace {

constexpr std::size_t kHeader = 12, kLongestName = 255;
constexpr std::uint16_t kNs = 2, kCname = 5, kSoa = 6, kPtr = 12, kMx = 15, kSrv = 33;

class Message {
public:
    explicit Message(Octets octets) : octets_(octets) {}

    std::uint16_t number(std::size_t at) {
        if (at + 2 > octets_.size()) {
            sound_ = false;
            return 0;
        }
        return static_cast<std::uint16_t>(octets_[at] << 8 | octets_[at + 1]);
    }

    // The name at `at`, which goes on behind it. A pointer leads back, so that none goes in circles.
    std::string name(std::size_t& at) {
        std::string out;
        std::size_t here = at, start = at, length = 0;
        bool jumped = false;
        while (sound_) {
            if (here >= octets_.size()) return fail();
            const std::uint8_t n = octets_[here];
            if (n == 0) {
                ++here;
                break;
            }
            if ((n & 0xc0) == 0xc0) {
                const std::size_t target = number(here) & 0x3fffu;
                if (!sound_ || target >= start) return fail();
                if (!std::exchange(jumped, true)) at = here + 2;
                start = here = target;
                continue;
            }
            if ((n & 0xc0) != 0) return fail();
            length += n + 1u;
            if (length > kLongestName) return fail();
            const Octets label = here + 1 <= octets_.size() ? octets_.substr(here + 1, n) : Octets();
            if (length > n + 1u) out += '.';
            out.append(label.begin(), label.end());
            here += 1u + n;
        }
        if (!jumped) at = here;
        return out;
    }

    // The record at `at`, which goes on behind it; the name of a PTR record.
    std::optional<std::string> record(std::size_t& at) {
        name(at);
        const std::uint16_t type = number(at);
        const std::uint16_t length = number(at + 8);
        std::size_t data = at + 10;
        at = data + length;
        if (!sound_) return std::nullopt;
        switch (type) {
            case kPtr:
                return name(data);
            case kNs:
            case kCname:
                name(data);
                break;
            case kSoa:
                name(data);
                name(data);
                number(data + 18);
                break;
            case kMx:
                number(data);
                name(data += 2);
                break;
            case kSrv:
                number(data + 4);
                name(data += 6);
                break;
            default:
                break;
        }
        return std::nullopt;
    }

    bool sound() const { return sound_; }

private:
    std::string fail() {
        sound_ = false;
        return {};
    }

    Octets octets_;
    bool sound_ = true;
};

}  // namespace

std::optional<std::vector<std::string>> ptr_answers(Octets octets) {
    if (octets.size() < kHeader) return std::nullopt;
    Message message(octets);
    std::vector<std::string> names;
    std::size_t at = kHeader;
    for (std::uint16_t left = message.number(4); left > 0 && message.sound(); --left) {
        message.name(at);
        message.number(at + 2);
        at += 4;
    }
    for (const std::size_t section : {6, 8, 10})
        for (std::uint16_t left = message.number(section); left > 0 && message.sound(); --left) {
            auto name = message.record(at);
            if (name && section == 6) names.push_back(std::move(*name));
        }
    if (!message.sound()) return std::nullopt;
    return names;
}

}  // namespace nfstreamd::plugins
