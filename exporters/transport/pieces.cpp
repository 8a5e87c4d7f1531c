// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/pieces.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>  // renameat2
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "exporters/transport/compressor.hpp"
#include "exporters/transport/output_file.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::string_view kStampShape = "00000000T000000Z";  // a digit for each 0

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool has_stamp_shape(std::string_view text) {
    return std::equal(text.begin(), text.end(), kStampShape.begin(), kStampShape.end(),
                      [](char c, char shape) { return shape == '0' ? is_digit(c) : c == shape; });
}

// Digits alone, as we write them: without leading zeros.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || (text.size() > 1 && text[0] == '0'))
        return std::nullopt;
    return number;
}

std::size_t suffix_begin(std::string_view name) {
    const auto dot = name.substr(0, name.size() - compression_suffix(name).size()).rfind('.');
    return dot == name.npos || dot == 0 ? name.size() - compression_suffix(name).size() : dot;
}

// Files beside the path, by name.
std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, error), end; !error && entry != end;
         entry.increment(error))
        names.push_back(entry->path().filename().string());
    return names;
}

}  // namespace

Pieces::Pieces(std::string path, std::string word, std::uint64_t most)
    : path_(std::move(path)), word_(std::move(word)), most_(most) {
    const auto slash = path_.rfind('/');
    folder_ = path_.substr(0, slash == path_.npos ? 0 : slash + 1);
    name_ = path_.substr(folder_.size());
    suffix_ = suffix_begin(name_);
}

Pieces Pieces::indexed(std::string path, std::string word, std::uint64_t most) {
    return {std::move(path), std::move(word), most};
}

Pieces Pieces::stamped(std::string path, std::uint64_t most) {
    return {std::move(path), "", most};
}

std::string Pieces::name_of(std::uint64_t index) const {
    if (name_.find(word_) == name_.npos)
        return fmt::format("{}.{}{}", name_.substr(0, suffix_), index, name_.substr(suffix_));
    std::string out;
    std::size_t from = 0;
    for (auto at = name_.find(word_); at != name_.npos; at = name_.find(word_, from)) {
        out += fmt::format("{}{}.{}", name_.substr(from, at - from), index, word_);
        from = at + word_.size();
    }
    return out + name_.substr(from);
}

std::string Pieces::name_of(const Stamp& stamp) const {
    return fmt::format("{}-{}{}{}", name_.substr(0, suffix_), stamp.time,
                       stamp.counter == 0 ? "" : fmt::format("_{}", stamp.counter), name_.substr(suffix_));
}

// Behind all others of its second: a name that has become free is an older one.
Pieces::Stamp Pieces::stamp_at(Time finished) const {
    const auto seconds = std::chrono::system_clock::to_time_t(finished);
    Stamp stamp{fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(seconds)), 0};
    if (last_.time == stamp.time) stamp.counter = last_.counter + 1;
    for (const auto& name : names_in(folder_))
        if (const auto other = stamp_in(name); other && other->time == stamp.time)
            stamp.counter = std::max(stamp.counter, other->counter + 1);
    return stamp;
}

std::optional<std::uint64_t> Pieces::index_in(std::string_view name) const {
    const auto word = name_.find(word_);
    const std::size_t begin = word == name_.npos ? suffix_ + 1 : word;
    if (name.size() <= begin) return std::nullopt;
    const auto digits = std::find_if_not(name.begin() + static_cast<std::ptrdiff_t>(begin), name.end(), is_digit);
    const auto index = number_in<std::uint64_t>({name.begin() + static_cast<std::ptrdiff_t>(begin), digits});
    return index && name_of(*index) == name ? index : std::nullopt;
}

std::optional<Pieces::Stamp> Pieces::stamp_in(std::string_view name) const {
    const std::string before = name_.substr(0, suffix_) + '-', after = name_.substr(suffix_);
    if (name.size() < before.size() + kStampShape.size() + after.size()) return std::nullopt;
    if (!name.starts_with(before) || !name.ends_with(after)) return std::nullopt;
    name = name.substr(before.size(), name.size() - before.size() - after.size());
    const auto time = name.substr(0, kStampShape.size()), rest = name.substr(kStampShape.size());
    if (!has_stamp_shape(time)) return std::nullopt;
    if (rest.empty()) return Stamp{std::string(time), 0};
    const auto counter = rest.front() == '_' ? number_in<unsigned>(rest.substr(1)) : std::nullopt;
    if (!counter || *counter == 0) return std::nullopt;
    return Stamp{std::string(time), *counter};
}

void Pieces::go_on() {
    std::pair<std::filesystem::file_time_type, std::uint64_t> newest{};
    bool any = false;
    for (const auto& name : names_in(folder_)) {
        const auto index = index_in(name);
        if (!index) continue;
        std::error_code error;
        const std::pair found{std::filesystem::last_write_time(folder_ + name, error), *index};
        if (error || (any && found < newest)) continue;
        newest = found;
        any = true;
    }
    next_ = !any ? 0 : most_ > 0 ? (newest.second + 1) % most_ : newest.second + 1;
}

Status Pieces::put_away(Time finished) {
    Stamp stamp;
    if (is_stamped()) stamp = stamp_at(finished);
    const std::string target = folder_ + (is_stamped() ? name_of(stamp) : name_of(next_));
    if (const int error = rename_to(target, !is_stamped()); error != 0)
        return failure("cannot rename to", target, error);
    last_ = std::move(stamp);
    next_ = most_ > 0 ? (next_ + 1) % most_ : next_ + 1;
    return ok();
}

// Some file systems cannot rename without replacing; there a look before does.
int Pieces::rename_to(const std::string& target, bool replace) const {
    if (!replace) {
        if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) return 0;
        if (errno != EINVAL) return errno;
        if (::access(target.c_str(), F_OK) == 0) return EEXIST;
    }
    return ::rename(path_.c_str(), target.c_str()) == 0 ? 0 : errno;
}

Status Pieces::remove_old() {
    if (!is_stamped() || most_ == 0) return ok();
    std::vector<std::pair<Stamp, std::string>> pieces;
    for (auto& name : names_in(folder_))
        if (auto stamp = stamp_in(name)) pieces.emplace_back(std::move(*stamp), std::move(name));
    // what is later than the last one is of before the clock was set back
    std::sort(pieces.begin(), pieces.end(), [this](const auto& a, const auto& b) {
        return std::pair(a.first <= last_, a.first) < std::pair(b.first <= last_, b.first);
    });
    for (std::size_t i = 0; i + most_ < pieces.size(); ++i) {
        const std::string name = folder_ + pieces[i].second;
        if (::unlink(name.c_str()) != 0 && errno != ENOENT) return failure("cannot remove", name, errno);
    }
    return ok();
}

Error Pieces::failure(std::string_view what, const std::string& name, int error) const {
    return {error_code(error), fmt::format("{} {}: {}", what, name, std::generic_category().message(error)), path_};
}

}  // namespace nfstreamd::exporters
