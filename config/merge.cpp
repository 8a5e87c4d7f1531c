// SPDX-License-Identifier: Apache-2.0
#include "config/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "config/tables.hpp"
#include "core/base/utf8.hpp"

namespace nfstreamd::config {
namespace {

constexpr std::array<std::string_view, 3> kNamedLists{"plugins", "models", "exporters"};  // lists that go by names

bool is_named_list(std::string_view key) {
    return std::find(kNamedLists.begin(), kNamedLists.end(), key) != kNamedLists.end();
}

void merge_maps(Node& into, Node from) {
    for (Member& member : from.members) {
        Node* former = into.find(member.key);
        if (!former) {
            into.members.push_back(std::move(member));
        } else if (member.value.kind == Node::Kind::kNull) {
            continue;
        } else if (former->is_map() && member.value.is_map()) {
            merge_maps(*former, std::move(member.value));
        } else {
            into.erase(member.key);
            into.members.push_back(std::move(member));
        }
    }
}

void check_entries(Node& list, std::string_view key, Problems& problems) {
    std::size_t index = 0;
    std::erase_if(list.items, [&](const Node& item) {
        const std::string path = fmt::format("{}[{}]", key, index++);
        if (item.is_map()) return false;
        if (item.kind != Node::Kind::kBroken) {
            problems.add(item.place, path, fmt::format("must be a map, not {}", item.kind_text()));
        }
        return true;
    });
}

// Leaves only blocks that are maps, or lists of maps, as they must be.
void check_shape(Node& root, Problems& problems) {
    for (const Block& block : blocks()) {
        Node* value = root.find(block.key);
        if (!value) continue;
        const bool fits = block.is_list ? value->is_list() : value->is_map();
        if (fits && block.is_list) check_entries(*value, block.key, problems);
        if (fits) continue;
        if (value->kind != Node::Kind::kNull && value->kind != Node::Kind::kBroken) {
            problems.add(
                value->place, std::string(block.key),
                fmt::format("must be {}, not {}", block.is_list ? "a list of maps" : "a map", value->kind_text()));
        }
        root.erase(block.key);
    }
}

Node take(Node& root, std::string_view key) {
    Node* found = root.find(key);
    Node taken = found ? std::move(*found) : Node{};
    root.erase(key);
    return taken;
}

Node& block_list(Node& root, std::string_view key, const Place& place) {
    Node* list = root.find(key);
    return list ? *list : root.put(std::string(key), list_node(place));
}

void append_captures(Node& root, Node captures) {
    if (captures.items.empty()) return;
    Node& list = block_list(root, "capture", captures.place);
    std::move(captures.items.begin(), captures.items.end(), std::back_inserter(list.items));
}

// Each former entry takes one later entry at most: two of the same name in one
// document stay two, which is reported when they are checked.
void merge_named(Node& root, std::string_view key, Node entries) {
    if (entries.items.empty()) return;
    Node& list = block_list(root, key, entries.place);
    std::vector<bool> open(list.items.size(), true);
    for (Node& entry : entries.items) {
        const std::string name = exporter_name(entry);
        std::size_t i = 0;
        while (i < open.size() && !(open[i] && !name.empty() && exporter_name(list.items[i]) == name)) ++i;
        if (i < open.size()) {
            open[i] = false;
            merge_maps(list.items[i], std::move(entry));
        } else {
            list.items.push_back(std::move(entry));
        }
    }
}

using Path = std::vector<std::string>;

constexpr std::size_t kDeepestKey = 32;  // as deep as a document may be

std::optional<Path> split(const std::string& key) {
    Path path(1);
    for (const char c : key) {
        if (c == '.') {
            path.emplace_back();
        } else {
            path.back() += c;
        }
    }
    const bool is_none = std::any_of(path.begin(), path.end(), [](const std::string& part) {
        return part.empty() || part.size() > kMaxKeyOctets || !is_valid_utf8(part);
    });
    return is_none || path.size() > kDeepestKey ? std::nullopt : std::optional(path);
}

std::optional<std::size_t> index_of(const std::string& text) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    const bool is_index = error == std::errc{} && end == text.data() + text.size();
    return is_index ? std::optional(index) : std::nullopt;
}

// An override on its way to its place.
class Override {
public:
    Override(const std::string& key, Node value, Problems& problems)
        : key_(key), value_(std::move(value)), problems_(problems) {}

    void apply(Node& root) {
        const auto path = split(key_);
        if (!path) return fail("is no path of a key such as metering.idle_timeout");
        const bool in_list = path->front() == "capture" || is_named_list(path->front());
        if (path->size() == 1) {
            apply_to_root(root);
        } else if (!in_list) {
            set(root, *path);
        } else if (path->front() == "capture") {
            apply_to_capture(root, *path);
        } else {
            apply_to_named(root, *path);
        }
    }

private:
    void fail(std::string message) { problems_.add(value_.place, key_, std::move(message)); }

    // A block of the wrong shape leaves the former one.
    void apply_to_root(Node& root) {
        Node alone = map_node(value_.place);
        alone.put(key_, value_);
        check_shape(alone, problems_);
        for (Member& member : alone.members) {
            value_ = std::move(member.value);
            set(root, {key_});
        }
    }

    void apply_to_capture(Node& root, const Path& path) {
        Node& list = block_list(root, "capture", value_.place);
        const auto index = index_of(path[1]);
        if (index && *index > list.items.size()) {
            return fail(fmt::format("there are {} entries, counted from 0", list.items.size()));
        }
        if (list.items.empty() || (index && *index == list.items.size())) list.items.push_back(map_node(value_.place));
        const Path rest(path.begin() + (index ? 2 : 1), path.end());
        if (index) return set(list.items[*index], rest);
        for (Node& entry : list.items) set(entry, rest);
    }

    void apply_to_named(Node& root, const Path& path) {
        Node& list = block_list(root, path[0], value_.place);
        const Path rest(path.begin() + 2, path.end());
        const auto named = std::find_if(list.items.begin(), list.items.end(),
                                        [&](const Node& entry) { return exporter_name(entry) == path[1]; });
        if (named != list.items.end()) return set(*named, rest);
        const auto index = index_of(path[1]);
        if (index && *index < list.items.size()) return set(list.items[*index], rest);
        if (index) return fail(fmt::format("there are {} {}, counted from 0", list.items.size(), path[0]));
        Node entry = map_node(value_.place);
        entry.put("name", scalar_node(path[1], value_.place));
        set(entry, rest);
        list.items.push_back(std::move(entry));
    }

    // The value, below a map.
    void set(Node& map, const Path& path) {
        Node* parent = &map;
        for (std::size_t i = 0; i + 1 < path.size(); ++i) {
            Node* next = parent->find(path[i]);
            if (next && next->kind == Node::Kind::kBroken) return;
            if (next && !next->is_map())
                return fail(fmt::format("{} has no keys, it is {}", path[i], next->kind_text()));
            parent = next ? next : &parent->put(path[i], map_node(value_.place));
        }
        Node* former = path.empty() ? parent : parent->find(path.back());
        if (former && former->is_map() && value_.is_map()) return merge_maps(*former, value_);
        if (path.empty()) return fail(fmt::format("must be a map, not {}", value_.kind_text()));
        parent->put(path.back(), value_);
    }

    const std::string& key_;
    Node value_;
    Problems& problems_;
};

}  // namespace

std::string exporter_name(const Node& entry) {
    for (const char* key : {"name", "type"}) {
        const Node* value = entry.find(key);
        if (value && value->is_scalar()) return value->scalar;
    }
    return {};
}

void merge_document(Node& root, Node document, Problems& problems) {
    if (document.kind == Node::Kind::kNull || document.kind == Node::Kind::kBroken) return;
    if (!document.is_map()) {
        problems.add(document.place, "", fmt::format("must be a map of settings, not {}", document.kind_text()));
        return;
    }
    check_shape(document, problems);
    append_captures(root, take(document, "capture"));
    for (const std::string_view key : kNamedLists) merge_named(root, key, take(document, key));
    merge_maps(root, std::move(document));
}

void use_read_files(Node& root, std::span<const std::string> files, const std::shared_ptr<const Source>& source) {
    const Place place{source};
    Node& list = block_list(root, "capture", place);
    Node entry = list.items.empty() ? map_node(place) : std::move(list.items.front());
    entry.erase("interface");
    entry.erase("pcap");
    Node names = list_node(place);
    for (const std::string& file : files) names.items.push_back(scalar_node(file, place));
    entry.put("pcap", std::move(names));
    list.items.clear();
    list.items.push_back(std::move(entry));
}

void apply_override(Node& root, const std::string& key, Node value, Problems& problems) {
    if (value.kind == Node::Kind::kBroken) return;
    Override(key, std::move(value), problems).apply(root);
    check_shape(root, problems);
}

}  // namespace nfstreamd::config
