// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/top_screen.hpp"

#include <doctest/doctest.h>

#include "daemon/ctl/terminal_text.hpp"

namespace nfstreamd::ctl {
namespace {

struct Picture {
    Picture() {
        rates.now.version = "1.0";
        rates.now.instance = "edge";
        rates.interfaces.push_back(
            {{"eth0", "up", true, 0, 0, 0, 12'345, 1'000'000, 0, 3, "nothing"}, 1e5, 1e9, 300, 0});
        rates.exporters.push_back({{"main", "ipfix", "udp://192.0.2.5:4739", false, 0, 17, 4}, 250, 2});
        rates.packets = 1e5;
        activity.window = std::chrono::seconds(2);
        for (std::uint64_t i = 1; i <= 40; ++i) {
            activity.talkers.push_back({"10.0.0." + std::to_string(i), 10 * i, 1000 - 20 * i, i, i, 41 - i});
            activity.applications.push_back({"App" + std::to_string(i), 10 * i, i, 41 - i});
        }
        history.add(rates);
    }
    std::vector<std::string> lines() const {
        auto drawn = top_screen(rates, activity, history, look);
        for (auto& line : drawn)
            for (auto at = line.find('\x1b'); at != line.npos; at = line.find('\x1b'))
                line.erase(at, line.find('m', at) - at + 1);
        return drawn;
    }
    std::string text() const {
        std::string all;
        for (const auto& line : lines()) all += line + "\n";
        return all;
    }

    Rates rates;
    Activity activity;
    TopHistory history;
    TopLook look;
};

}  // namespace

TEST_CASE("top screen: fits every size, down to one that shows nearly nothing") {
    Picture picture;
    picture.look.problem = "somewhere: no answer in time";
    std::vector<std::size_t> widths{27, 40, 60, 71, 72, 80, 95, 96, 120, 200};
    for (std::size_t width = 1; width <= 20; ++width) widths.push_back(width);
    for (const bool utf8 : {true, false})
        for (const std::size_t width : widths)
            for (const std::size_t height : {1, 2, 3, 5, 9, 10, 19, 20, 24, 26, 60}) {
                picture.look.width = width, picture.look.height = height, picture.look.utf8 = utf8;
                const auto lines = picture.lines();
                CHECK(lines.size() == height);
                for (const auto& line : lines) CHECK_MESSAGE(columns(line) <= width, width, "x", height, ": ", line);
            }
}

TEST_CASE("top screen: names rates, losses, applications and talkers") {
    Picture picture;
    picture.look = {.width = 120, .height = 40, .clock = "14:50:42", .interval = "2 s"};
    const auto text = picture.text();
    for (const char* part : {"nfstreamd 1.0  edge", "14:50:42", "every 2 s", "100k", "eth0", "12.3k", "1.00G", "3 %",
                             "udp://192.0.2.5:4739", "down", "APPLICATION", "App40", "TALKER", "10.0.0.1", "quit"})
        CHECK_MESSAGE(text.find(part) != std::string::npos, part, "\n", text);
}

TEST_CASE("top screen: the order is the one that was chosen") {
    Picture picture;
    picture.look = {.width = 80, .height = 30};
    const auto first_talker = [&](TopOrder order) {
        picture.look.order = order;
        const auto lines = picture.lines();
        for (std::size_t i = 0; i + 1 < lines.size(); ++i)
            if (lines[i].find("TALKER") != std::string::npos) return lines[i + 1].substr(0, lines[i + 1].find(' '));
        return std::string();
    };
    CHECK(first_talker(TopOrder::kSent) == "10.0.0.40");
    CHECK(first_talker(TopOrder::kReceived) == "10.0.0.1");
    CHECK(first_talker(TopOrder::kTotal) == "10.0.0.1");
    CHECK(first_talker(TopOrder::kPackets) == "10.0.0.40");
    CHECK(first_talker(TopOrder::kFlows) == "10.0.0.1");
}

TEST_CASE("top screen: without colours there are none, and plain text has no escapes at all") {
    Picture picture;
    picture.look = {.width = 100, .height = 30, .colours = false};
    for (const auto& line : top_screen(picture.rates, picture.activity, picture.history, picture.look))
        CHECK(line.find("\x1b[3") == std::string::npos);
    picture.look.height = 0;
    std::string plain;
    for (const auto& line : top_screen(picture.rates, picture.activity, picture.history, picture.look)) plain += line;
    CHECK(plain.find('\x1b') == std::string::npos);
    CHECK(plain.find("App40") != std::string::npos);
    CHECK(plain.find("quit") == std::string::npos);
}

TEST_CASE("top screen: more interfaces than fit are counted, not lost") {
    Picture picture;
    for (int i = 1; i < 30; ++i) {
        auto more = picture.rates.interfaces[0];
        more.now.name = "eth" + std::to_string(i);
        picture.rates.interfaces.push_back(more);
    }
    picture.look = {.width = 80, .height = 24};
    CHECK(picture.text().find(" more") != std::string::npos);
    CHECK(picture.text().find("TALKER") != std::string::npos);
}

}  // namespace nfstreamd::ctl
