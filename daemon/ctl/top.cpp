// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/top.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <optional>

#include "daemon/ctl/control_client.hpp"
#include "daemon/ctl/requests.hpp"
#include "daemon/ctl/terminal.hpp"
#include "daemon/ctl/terminal_text.hpp"
#include "daemon/ctl/top_sample.hpp"
#include "daemon/ctl/top_screen.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/json_writer.hpp"

namespace nfstreamd::ctl {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPlainWidth = 110;
constexpr std::chrono::milliseconds kLeastInterval = 1s, kMostInterval = 3600s;

std::string clock_text() {
    return fmt::format("{:%H:%M:%S}", fmt::localtime(std::time(nullptr)));
}

class Top {
public:
    explicit Top(const CommandLine& line)
        : line_(line), picture_(::isatty(STDOUT_FILENO) == 1 && !line.json && !line.once), interval_(line.interval) {
        look_.order = parse_top_order(line.sort);
        look_.colours = wants_colours();
        look_.utf8 = picture_ ? speaks_utf8() : true;
    }

    int run() {
        if (Status first = sample(); !first) return fail(first.error());
        Terminal terminal(picture_);
        if (picture_) draw(terminal);
        for (;;) {
            std::string keys;
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_ - Clock::now());
            switch (terminal.wait(std::max(left, 0ms), keys)) {
                case Terminal::Event::kEnd:
                    return daemon::kExitOk;
                case Terminal::Event::kKey:
                    for (const char key : keys)
                        if (!take(key)) return daemon::kExitOk;
                    break;
                case Terminal::Event::kNone:
                case Terminal::Event::kResized:
                    break;
            }
            const bool due = Clock::now() >= next_;
            if (due && !look_.paused) {
                const Status sampled = sample();
                // on a screen it may come back; a script is told
                if (!sampled && !picture_) return fail(sampled.error());
                look_.problem = sampled ? "" : printable(sampled.error().text());
            }
            if (due && look_.paused) next_ = Clock::now() + interval_;
            if (picture_) {
                if (!draw(terminal)) return daemon::kExitFailure;
            } else if (due) {
                const int printed = print(line_.json ? json() : text());
                if (line_.once || printed != daemon::kExitOk) return printed;
            }
        }
    }

private:
    // False: the user has seen enough.
    bool take(char key) {
        static constexpr std::pair<char, TopOrder> kOrders[] = {{'t', TopOrder::kTotal},
                                                                {'s', TopOrder::kSent},
                                                                {'r', TopOrder::kReceived},
                                                                {'p', TopOrder::kPackets},
                                                                {'f', TopOrder::kFlows}};
        for (const auto& [name, order] : kOrders)
            if (key == name) look_.order = order;
        if (key == ' ') look_.paused = !look_.paused;
        if (key == '+' || key == '-') {
            interval_ = std::clamp<std::chrono::milliseconds>(interval_ + (key == '+' ? 1s : -1s), kLeastInterval,
                                                              kMostInterval);
            next_ = std::min(next_, Clock::now() + interval_);
        }
        return key != 'q' && key != 'Q';
    }

    Status sample() {
        next_ = Clock::now() + interval_;
        const auto status = ask(line_.socket, "status");
        if (!status) return status.error();
        const auto at = Clock::now();
        auto counters = parse_counters(status.value());
        if (!counters) return counters.error();
        const auto activity = ask(line_.socket, "activity");
        if (!activity) return activity.error();
        auto parsed = parse_activity(activity.value());
        if (!parsed) return parsed.error();
        activity_json_ = activity.value();
        activity_ = std::move(parsed.value());
        const bool first = !before_;
        time_ = first ? 0ns : at - at_;
        rates_ = rates_between(first ? counters.value() : *before_, counters.value(), time_);
        if (!first) history_.add(rates_);
        before_ = std::move(counters.value());
        at_ = at;
        return ok();
    }

    bool draw(Terminal& terminal) {
        look_.width = terminal.width();
        look_.height = terminal.height();
        dress();
        return terminal.draw(top_screen(rates_, activity_, history_, look_));
    }

    void dress() {
        look_.clock = clock_text();
        look_.interval = fmt::format("{} s", std::chrono::duration_cast<std::chrono::seconds>(interval_).count());
    }

    std::string text() {
        look_.width = kPlainWidth;
        look_.height = 0;
        dress();
        std::string out;
        for (const auto& line : top_screen(rates_, activity_, history_, look_)) out += line + '\n';
        return out + '\n';
    }

    std::string json() const {
        const auto whole = [](double value) { return static_cast<std::uint64_t>(value + 0.5); };
        daemon::JsonWriter json;
        json.begin_object();
        json.member("time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))));
        json.member("interval_ms", std::chrono::duration_cast<std::chrono::milliseconds>(time_).count());
        json.member("packets_per_s", whole(rates_.packets));
        json.member("bits_per_s", whole(rates_.bits));
        json.member("flows_per_s", whole(rates_.flows));
        json.member("drops_per_s", rates_.drops);
        json.member("records_per_s", whole(rates_.records));
        json.member("lost_records_per_s", rates_.lost);
        json.key("interfaces").begin_array();
        for (const InterfaceRates& one : rates_.interfaces) {
            json.begin_object();
            json.member("name", one.now.name);
            json.member("up", one.now.up);
            json.member("packets_per_s", whole(one.packets));
            json.member("bits_per_s", whole(one.bits));
            json.member("flows_per_s", whole(one.flows));
            json.member("drops_per_s", one.drops);
            json.member("flows_active", one.now.flows_active);
            json.end_object();
        }
        json.end_array();
        json.key("exporters").begin_array();
        for (const ExporterRates& one : rates_.exporters) {
            json.begin_object();
            json.member("name", one.now.name);
            json.member("up", one.now.up);
            json.member("records_per_s", whole(one.records));
            json.member("lost_records_per_s", one.lost);
            json.member("queued", one.now.queued);
            json.end_object();
        }
        json.end_array();
        json.end_object();
        std::string line = json.text();
        line.pop_back();
        std::string activity = activity_json_;
        activity.erase(std::min(activity.find_last_not_of("\r\n") + 1, activity.size()));
        return line + ",\"activity\":" + activity + "}\n";
    }

    const CommandLine& line_;
    const bool picture_;
    std::chrono::milliseconds interval_;
    Clock::time_point next_{}, at_{};
    std::chrono::nanoseconds time_{0};
    std::optional<DaemonCounters> before_;
    Rates rates_;
    Activity activity_;
    std::string activity_json_;
    TopHistory history_;
    TopLook look_;
};

}  // namespace

int top(const CommandLine& line) {
    return Top(line).run();
}

}  // namespace nfstreamd::ctl
