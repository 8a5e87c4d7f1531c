// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/top_screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "daemon/ctl/terminal_text.hpp"
#include "daemon/progress.hpp"

namespace nfstreamd::ctl {
namespace {

using Lines = std::vector<std::string>;

enum class Style { kPlain, kStrong, kFaint, kHead, kGood, kBad, kBar, kKey };

constexpr std::size_t kMeters = 4;       // rows of the summary
constexpr std::size_t kSideBySide = 96;  // columns from which applications stand beside talkers
constexpr std::size_t kLeastRows = 3;    // of a table, its head aside, before others give way

// Draws into a look: with or without colours, by block characters or ASCII.
class Pen {
public:
    explicit Pen(const TopLook& look) : look_(look) {}

    std::string styled(Style style, const std::string& text) const {
        if (look_.height == 0 || text.empty()) return text;
        const char* code = code_of(style);
        return *code == '\0' ? text : fmt::format("\x1b[{}m{}\x1b[0m", code, text);
    }

    // A part of `width`, in eighths of a column where block characters are.
    std::string bar(double part, std::size_t width) const {
        part = std::clamp(part, 0.0, 1.0);
        if (!look_.utf8)
            return std::string(static_cast<std::size_t>(std::lround(part * static_cast<double>(width))), '#');
        static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
        const auto eighths = static_cast<std::size_t>(std::lround(part * 8 * static_cast<double>(width)));
        std::string out;
        for (std::size_t i = 0; i < eighths / 8; ++i) out += "█";
        return out + kEighths[eighths % 8];
    }

    // The newest `width` values, against the largest of them; curves of two rows do not touch.
    std::string curve(const std::deque<double>& values, std::size_t width) const {
        static constexpr const char* kBlocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇"};
        static constexpr const char* kAscii[] = {" ", ".", ".", ":", ":", "+", "+", "#"};
        const char* const* levels = look_.utf8 ? kBlocks : kAscii;
        const std::size_t count = std::min(width, values.size());
        const auto first = values.end() - static_cast<std::ptrdiff_t>(count);
        const double most = count > 0 ? *std::max_element(first, values.end()) : 0;
        std::string out(width - count, ' ');
        for (auto it = first; it != values.end(); ++it) {
            const auto level = most > 0 && *it > 0 ? 1 + static_cast<std::size_t>(std::lround(6 * *it / most)) : 0;
            out += levels[std::min<std::size_t>(level, 7)];
        }
        return out;
    }

private:
    const char* code_of(Style style) const {
        switch (style) {
            case Style::kStrong:
                return "1";
            case Style::kFaint:
                return "2";
            case Style::kHead:
                return look_.colours ? "30;46" : "7";
            case Style::kGood:
                return look_.colours ? "32" : "";
            case Style::kBad:
                return look_.colours ? "1;31" : "1";
            case Style::kBar:
                return look_.colours ? "36" : "";
            case Style::kKey:
                return look_.colours ? "1;33" : "1";
            case Style::kPlain:
                break;
        }
        return "";
    }

    const TopLook& look_;
};

struct Column {
    std::string_view title;
    std::size_t width;  // 0: what is left
    bool right = true;
    std::size_t least = 8;  // of what is left
};
struct Cell {
    std::string text;
    Style style = Style::kPlain;
};
using Cells = std::vector<Cell>;

// What is zero stands back.
Style style_of(const Cell& cell) {
    return cell.style == Style::kPlain && (cell.text == "0" || cell.text == "0 %") ? Style::kFaint : cell.style;
}

// Columns that do not fit are left out from the right, the first two never.
std::string row(const Pen& pen, const std::vector<Column>& columns_, const Cells& cells, std::size_t width) {
    std::size_t used = 0, open = 0, shown = 0;
    for (const Column& column : columns_) {
        const std::size_t needed = (shown > 0 ? 2 : 0) + (column.width > 0 ? column.width : column.least);
        if (shown >= 2 && used + needed > width) break;
        used += needed;
        open = column.width == 0 ? shown + 1 : open;
        ++shown;
    }
    const std::size_t spare = width > used ? width - used : 0;
    std::string out;
    std::size_t left = width;
    for (std::size_t i = 0; i < shown && left > 0; ++i) {
        const std::size_t gap = std::min<std::size_t>(i > 0 ? 2 : 0, left);
        const std::size_t wanted = i + 1 == open ? columns_[i].least + spare : columns_[i].width;
        const std::size_t has = std::min(wanted, left - gap);
        out += std::string(gap, ' ');
        out += pen.styled(style_of(cells[i]),
                          columns_[i].right ? right_aligned(cells[i].text, has) : fitted(cells[i].text, has));
        left -= gap + has;
    }
    return out + std::string(left, ' ');
}

std::string heading(const Pen& pen, const std::vector<Column>& columns_, std::size_t width) {
    Cells cells;
    for (const Column& column : columns_) cells.push_back({std::string(column.title)});
    return pen.styled(Style::kHead, row(pen, columns_, cells, width));
}

Style loss_style(double rate) {
    return rate > 0 ? Style::kBad : Style::kPlain;
}

// ---- parts of the screen ----

std::string title(const Pen& pen, const Rates& rates, const TopLook& look) {
    std::string left = fmt::format("nfstreamd {}  {}  up {}", rates.now.version, rates.now.instance,
                                   daemon::clock_text(std::chrono::seconds(rates.now.uptime_s)));
    std::string right = fmt::format("{}{}  every {}", look.paused ? "PAUSED  " : "", look.clock, look.interval);
    if (!look.problem.empty()) left = look.problem;
    const std::size_t room = look.width > columns(right) + 2 ? look.width - columns(right) - 2 : 0;
    const Style style = look.problem.empty() ? Style::kStrong : Style::kBad;
    return room == 0 ? pen.styled(style, fitted(left, look.width))
                     : pen.styled(style, fitted(left, room)) + "  " + pen.styled(Style::kFaint, right);
}

Lines summary(const Pen& pen, const Rates& rates, const Activity& activity, const TopHistory& history,
              const TopLook& look) {
    std::uint64_t flows = 0, room = 0;
    for (const InterfaceRates& interface : rates.interfaces) {
        flows += interface.now.flows_active;
        room += interface.now.max_flows;
    }
    const double full = room > 0 ? 100.0 * static_cast<double>(flows) / static_cast<double>(room) : 0;
    struct Meter {
        std::string name, value;
        const std::deque<double>& curve;
        std::string note;
        Style style;
    };
    const Meter meters[kMeters] = {
        {"packets/s", short_number(rates.packets), history.packets,
         fmt::format("{} flows, {:.1f} % of the table", short_number(static_cast<double>(flows)), full),
         Style::kStrong},
        {"bits/s", short_number(rates.bits), history.bits,
         fmt::format("{} of them active", short_number(static_cast<double>(activity.active_flows))), Style::kStrong},
        {"flows/s", short_number(rates.flows), history.flows,
         fmt::format("{} records/s exported", short_number(rates.records)), Style::kStrong},
        {"drops/s", short_number(rates.drops), history.drops,
         fmt::format("{} records/s lost", short_number(rates.lost)),
         rates.drops > 0 || rates.lost > 0 ? Style::kBad : Style::kStrong}};
    constexpr std::size_t kName = 9, kValue = 6, kGaps = 6, kNote = 34;
    const std::size_t note = look.width >= 72 ? kNote : 0;
    const std::size_t taken = kName + kValue + kGaps + note;
    const std::size_t curve = look.width > taken ? std::min(look.width - taken, TopHistory::kLongest) : 0;
    Lines lines;
    for (const Meter& meter : meters) {
        if (look.width < kName + 2 + kValue) {
            lines.push_back(fitted(meter.value + ' ' + meter.name, look.width));
            continue;
        }
        std::string line =
            fitted(meter.name, kName) + "  " + pen.styled(meter.style, right_aligned(meter.value, kValue));
        if (curve > 0) line += "  " + pen.styled(Style::kBar, pen.curve(meter.curve, curve));
        if (note > 0)
            line +=
                "  " + pen.styled(meter.style == Style::kBad ? Style::kBad : Style::kFaint, fitted(meter.note, note));
        lines.push_back(std::move(line));
    }
    return lines;
}

Lines interfaces(const Pen& pen, const Rates& rates, std::size_t width) {
    const std::vector<Column> columns_{{"INTERFACE", 0, false}, {"STATE", 5, false}, {"PACKETS/S", 9}, {"BITS/S", 7},
                                       {"FLOWS/S", 7},          {"DROPS/S", 7},      {"FLOWS", 7},     {"RING", 5}};
    Lines lines{heading(pen, columns_, width)};
    for (const InterfaceRates& one : rates.interfaces) {
        const bool sheds = one.now.shed != "nothing";
        lines.push_back(row(pen, columns_,
                            {{sheds ? fmt::format("{} (sheds {})", one.now.name, one.now.shed) : one.now.name,
                              sheds ? Style::kBad : Style::kPlain},
                             {one.now.up ? "up" : "down", one.now.up ? Style::kGood : Style::kBad},
                             {short_number(one.packets)},
                             {short_number(one.bits)},
                             {short_number(one.flows)},
                             {short_number(one.drops), loss_style(one.drops)},
                             {short_number(static_cast<double>(one.now.flows_active))},
                             {fmt::format("{} %", one.now.ring_fill_percent),
                              one.now.ring_fill_percent >= 50 ? Style::kBad : Style::kPlain}},
                            width));
    }
    return lines;
}

Lines exporters(const Pen& pen, const Rates& rates, std::size_t width) {
    const std::vector<Column> columns_{{"EXPORTER", 0, false}, {"STATE", 5, false}, {"RECORDS/S", 9},
                                       {"QUEUED", 7},          {"LOST/S", 7},       {"LOST", 7}};
    Lines lines{heading(pen, columns_, width)};
    for (const ExporterRates& one : rates.exporters)
        lines.push_back(
            row(pen, columns_,
                {{fmt::format("{}  {}", one.now.name, one.now.destination)},
                 {one.now.up ? "up" : "down", one.now.up ? Style::kGood : Style::kBad},
                 {short_number(one.records)},
                 {short_number(static_cast<double>(one.now.queued))},
                 {short_number(one.lost), loss_style(one.lost)},
                 {short_number(static_cast<double>(one.now.lost)), loss_style(static_cast<double>(one.now.lost))}},
                width));
    return lines;
}

std::uint64_t key_of(const TalkerRate& talker, TopOrder order) {
    switch (order) {
        case TopOrder::kSent:
            return talker.sent_bits;
        case TopOrder::kReceived:
            return talker.received_bits;
        case TopOrder::kPackets:
            return talker.sent_packets + talker.received_packets;
        case TopOrder::kFlows:
            return talker.flows;
        case TopOrder::kTotal:
            break;
    }
    return talker.sent_bits + talker.received_bits;
}

std::uint64_t key_of(const ApplicationRate& application, TopOrder order) {
    if (order == TopOrder::kPackets) return application.packets;
    return order == TopOrder::kFlows ? application.flows : application.bits;
}

template <class Rate>
std::vector<Rate> ordered(std::vector<Rate> rates, TopOrder order) {
    std::stable_sort(rates.begin(), rates.end(),
                     [&](const Rate& a, const Rate& b) { return key_of(a, order) > key_of(b, order); });
    return rates;
}

std::size_t bar_width(std::size_t width) {
    return width >= 64 ? 14 : width >= 44 ? 6 : 0;
}

Lines applications(const Pen& pen, const Activity& activity, TopOrder order, std::size_t width, std::size_t most) {
    const std::size_t bar = bar_width(width);
    const std::vector<Column> columns_{
        {"APPLICATION", 0, false}, {"", bar, false}, {"BITS/S", 7}, {"PKTS/S", 6}, {"FLOWS", 6}};
    std::vector<Column> used = columns_;
    if (bar == 0) used.erase(used.begin() + 1);
    Lines lines{heading(pen, used, width)};
    const auto sorted = ordered(activity.applications, order);
    const double largest = sorted.empty() ? 0 : static_cast<double>(key_of(sorted.front(), order));
    for (const ApplicationRate& one : sorted) {
        if (lines.size() > most) break;
        Cells cells{{one.name},
                    {pen.bar(largest > 0 ? static_cast<double>(key_of(one, order)) / largest : 0, bar), Style::kBar},
                    {short_number(static_cast<double>(one.bits))},
                    {short_number(static_cast<double>(one.packets))},
                    {short_number(static_cast<double>(one.flows))}};
        if (bar == 0) cells.erase(cells.begin() + 1);
        lines.push_back(row(pen, used, cells, width));
    }
    return lines;
}

Lines talkers(const Pen& pen, const Activity& activity, TopOrder order, std::size_t width, std::size_t most) {
    const auto sorted = ordered(activity.talkers, order);
    std::size_t longest = 15;
    for (std::size_t i = 0; i < std::min(most, sorted.size()); ++i)
        longest = std::max(longest, columns(sorted[i].address));
    const std::vector<Column> columns_{
        {"TALKER", 0, false, longest}, {"BITS/S", 7}, {"SENT", 7}, {"RECEIVED", 8}, {"PKTS/S", 6}, {"FLOWS", 6}};
    Lines lines{heading(pen, columns_, width)};
    for (const TalkerRate& one : sorted) {
        if (lines.size() > most) break;
        lines.push_back(row(pen, columns_,
                            {{one.address},
                             {short_number(static_cast<double>(one.sent_bits + one.received_bits)), Style::kStrong},
                             {short_number(static_cast<double>(one.sent_bits))},
                             {short_number(static_cast<double>(one.received_bits))},
                             {short_number(static_cast<double>(one.sent_packets + one.received_packets))},
                             {short_number(static_cast<double>(one.flows))}},
                            width));
    }
    return lines;
}

std::string foot(const Pen& pen, const TopLook& look) {
    static constexpr std::pair<TopOrder, std::string_view> kKeys[] = {{TopOrder::kTotal, "total"},
                                                                      {TopOrder::kSent, "sent"},
                                                                      {TopOrder::kReceived, "received"},
                                                                      {TopOrder::kPackets, "packets"},
                                                                      {TopOrder::kFlows, "flows"}};
    std::string out;
    std::size_t left = look.width;
    const auto add = [&](Style style, std::string_view text) {
        const std::string part = fitted(text, std::min(columns(text), left));
        left -= columns(part);
        out += pen.styled(style, part);
    };
    add(Style::kFaint, "sort: ");
    for (const auto& [order, name] : kKeys) {
        const bool chosen = order == look.order;
        add(chosen ? Style::kHead : Style::kKey, name.substr(0, 1));
        add(chosen ? Style::kHead : Style::kFaint, name.substr(1));
        add(Style::kPlain, " ");
    }
    for (const auto& [key, name] :
         {std::pair<std::string_view, std::string_view>{" +-", " interval "}, {" space", " pause "}, {" q", " quit"}}) {
        add(Style::kKey, key);
        add(Style::kFaint, name);
    }
    return out;
}

void shorten(Lines& lines, std::size_t most, std::size_t width) {
    if (lines.size() <= most) return;
    const std::size_t hidden = lines.size() - most + 1;
    lines.resize(most);
    if (most > 1) lines.back() = fitted(fmt::format("  and {} more", hidden), width);
}

void append(Lines& lines, Lines more) {
    std::move(more.begin(), more.end(), std::back_inserter(lines));
}

}  // namespace

TopOrder parse_top_order(std::string_view name) {
    if (name == "sent") return TopOrder::kSent;
    if (name == "received") return TopOrder::kReceived;
    if (name == "packets") return TopOrder::kPackets;
    return name == "flows" ? TopOrder::kFlows : TopOrder::kTotal;
}

void TopHistory::add(const Rates& rates) {
    for (const auto& [curve, value] :
         {std::pair{&packets, rates.packets}, {&bits, rates.bits}, {&flows, rates.flows}, {&drops, rates.drops}}) {
        curve->push_back(value);
        if (curve->size() > kLongest) curve->pop_front();
    }
}

std::vector<std::string> top_screen(const Rates& rates, const Activity& activity, const TopHistory& history,
                                    const TopLook& look) {
    const Pen pen(look);
    const bool plain = look.height == 0;
    const std::size_t height = plain ? 1000 : look.height;
    Lines lines{title(pen, rates, look)};
    if (plain || height >= 10) append(lines, summary(pen, rates, activity, history, look));
    if (plain || height >= 20) lines.emplace_back();

    Lines upper = interfaces(pen, rates, look.width), middle = exporters(pen, rates, look.width);
    // a third of the rest at most for each; the lists at the foot get what remains
    if (!plain) {
        const std::size_t rest = height > lines.size() + 1 ? height - lines.size() - 1 : 0;
        const std::size_t most = std::max(kLeastRows, rest / 4);
        shorten(upper, most, look.width);
        shorten(middle, most, look.width);
    }
    append(lines, std::move(upper));
    if (plain || height >= 26) lines.emplace_back();
    append(lines, std::move(middle));
    if (plain || height >= 20) lines.emplace_back();

    const std::size_t rest = height > lines.size() + 1 ? height - lines.size() - 1 : 0;
    const std::size_t most = plain ? 10 : rest;
    if (activity.window.count() == 0) {
        if (rest > 0) lines.push_back(fitted("applications and talkers: at the next look", look.width));
    } else if (look.width >= kSideBySide) {
        const std::size_t left = (look.width - 2) * 2 / 5, right = look.width - 2 - left;
        const Lines a = applications(pen, activity, look.order, left, most > 0 ? most - 1 : 0);
        const Lines b = talkers(pen, activity, look.order, right, most > 0 ? most - 1 : 0);
        for (std::size_t i = 0; i < std::max(a.size(), b.size()) && i < std::max<std::size_t>(most, 1); ++i)
            lines.push_back((i < a.size() ? a[i] : std::string(left, ' ')) + "  " + (i < b.size() ? b[i] : ""));
    } else if (rest > 2) {
        const std::size_t half = plain ? 11 : rest / 2;
        Lines a = applications(pen, activity, look.order, look.width, half - 1);
        const std::size_t remaining = plain ? 11 : rest - std::min(rest, a.size());
        append(lines, std::move(a));
        if (remaining > 1) append(lines, talkers(pen, activity, look.order, look.width, remaining - 1));
    }
    if (plain) {
        for (std::string& line : lines) line.erase(line.find_last_not_of(' ') + 1);
        return lines;
    }
    lines.resize(std::max<std::size_t>(height, 1) - (height > 1 ? 1 : 0));
    if (height > 1) lines.push_back(foot(pen, look));
    return lines;
}

}  // namespace nfstreamd::ctl
