// SPDX-License-Identifier: Apache-2.0
#include "config/node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace nfstreamd::config {

std::string Place::text() const {
    if (!source) return {};
    return line == 0 || !source->has_lines ? source->name : fmt::format("{}:{}:{}", source->name, line, column);
}

std::string_view Node::kind_text() const {
    switch (kind) {
        case Kind::kNull:
            return "nothing";
        case Kind::kScalar:
            return "a single value";
        case Kind::kList:
            return "a list";
        case Kind::kMap:
            return "a map";
        case Kind::kBroken:
            break;
    }
    return "a broken value";
}

const Node* Node::find(std::string_view key) const {
    const auto found = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
    return found == members.end() ? nullptr : &found->value;
}

Node* Node::find(std::string_view key) {
    return const_cast<Node*>(std::as_const(*this).find(key));
}

void Node::erase(std::string_view key) {
    std::erase_if(members, [&](const Member& m) { return m.key == key; });
}

Node& Node::put(std::string key, Node value) {
    for (Member& member : members) {
        if (member.key != key) continue;
        member.place = value.place;
        member.value = std::move(value);
        return member.value;
    }
    Place key_place = value.place;
    members.push_back(Member{std::move(key), std::move(key_place), std::move(value)});
    return members.back().value;
}

namespace {
Node node_of(Node::Kind kind, Place place) {
    Node node;
    node.kind = kind;
    node.place = std::move(place);
    return node;
}
}  // namespace

Node scalar_node(std::string text, Place place) {
    Node node = node_of(Node::Kind::kScalar, std::move(place));
    node.scalar = std::move(text);
    return node;
}

Node map_node(Place place) {
    return node_of(Node::Kind::kMap, std::move(place));
}
Node list_node(Place place) {
    return node_of(Node::Kind::kList, std::move(place));
}

void Problems::add(const Place& place, std::string key, std::string message) {
    problems_.push_back(Problem{place, std::move(key), std::move(message)});
}

void Problems::add_missing(const Place& place, std::string key, std::string message) {
    if (!incomplete_) add(place, std::move(key), std::move(message));
}

std::vector<Problem> Problems::sorted() const {
    std::vector<Problem> sorted = problems_;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
        const auto rank = [](const Problem& p) {
            return std::tuple(p.place.source ? p.place.source->order : 0u, p.place.line, p.place.column);
        };
        return rank(a) < rank(b);
    });
    return sorted;
}

}  // namespace nfstreamd::config
