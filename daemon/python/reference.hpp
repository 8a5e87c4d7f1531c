// SPDX-License-Identifier: Apache-2.0
// A counted reference to a Python object. Whoever makes, copies or drops one
// holds the interpreter's lock.
#pragma once
#include <Python.h>

#include <utility>

namespace nfstreamd::python {

class Reference {
public:
    Reference() = default;
    explicit Reference(PyObject* owned) noexcept : object_(owned) {}
    static Reference to(PyObject* object) noexcept {
        Py_XINCREF(object);
        return Reference(object);
    }
    Reference(const Reference& other) noexcept : object_(other.object_) { Py_XINCREF(object_); }
    Reference(Reference&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Reference& operator=(Reference other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Reference() { Py_XDECREF(object_); }

    PyObject* get() const noexcept { return object_; }
    PyObject* release() noexcept { return std::exchange(object_, nullptr); }
    explicit operator bool() const noexcept { return object_ != nullptr; }

private:
    PyObject* object_ = nullptr;
};

// A thread of ours in the interpreter: makes its state once, and keeps it until
// the thread ends. Another one in the same thread is cheap and may be nested.
class InterpreterLock {
public:
    InterpreterLock();
    ~InterpreterLock();
    InterpreterLock(const InterpreterLock&) = delete;
    InterpreterLock& operator=(const InterpreterLock&) = delete;

private:
    bool taken_;
};

}  // namespace nfstreamd::python
