// A small HTTP server on loopback, as a test needs it: with or without ranges, breaking off, answering with errors.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace orrery::test {

class HttpServer {
 public:
  struct Behaviour {
    bool ranges = true;
    int status = 0;           // above 0: this for every request
    int64_t break_off = -1;   // close the connection after so many bytes of the content; -1: never
    bool hold = false;        // where it would break off, keep the connection open and silent instead
    bool endless = false;     // no length, bytes without end
    std::string redirect_to;  // 302 to this base
  };
  using Files = std::map<std::string, std::string>;  // path, as "/set/name", to content
  struct Request {
    std::string path, range;
  };

  HttpServer(Files files, Behaviour behaviour)
      : files_(std::move(files)), behaviour_(std::move(behaviour)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 8) != 0 || getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no socket on loopback");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  explicit HttpServer(Files files) : HttpServer(std::move(files), Behaviour{}) {}
  ~HttpServer() {
    stop_ = true;
    shutdown(listener_, SHUT_RDWR);  // accept returns
    thread_.join();
    close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/set/"; }
  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stop_) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      std::string head;
      char buffer[4096];
      while (head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = recv(connection, buffer, sizeof buffer, 0);
        if (got <= 0) break;
        head.append(buffer, static_cast<size_t>(got));
      }
      if (head.find("\r\n\r\n") != std::string::npos) answer(connection, head);
      close(connection);
    }
  }

  static bool put(int connection, const std::string& text) {
    for (size_t done = 0; done < text.size();) {
      const ssize_t sent = send(connection, text.data() + done, text.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      done += static_cast<size_t>(sent);
    }
    return true;
  }

  void answer(int connection, const std::string& head) {
    // The request: its path and the first byte that it wants.
    Request r;
    r.path = head.substr(4, head.find(' ', 4) - 4);
    if (const auto at = head.find("Range: "); at != std::string::npos)
      r.range = head.substr(at + 7, head.find("\r\n", at) - at - 7);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(r);
    }

    // The answer.
    const auto status = [&](const std::string& line, const std::string& more = "") {
      put(connection, "HTTP/1.1 " + line + "\r\nContent-Length: 0\r\nConnection: close\r\n" + more + "\r\n");
    };
    if (behaviour_.status > 0) return status(std::to_string(behaviour_.status) + " No");
    if (!behaviour_.redirect_to.empty())
      return status("302 Found", "Location: " + behaviour_.redirect_to + r.path.substr(r.path.rfind('/') + 1) + "\r\n");
    if (behaviour_.endless) {
      put(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
      while (!stop_ && put(connection, std::string(65536, 'x'))) {
      }
      return;
    }
    const auto file = files_.find(r.path);
    if (file == files_.end()) return status("404 Not Found");
    std::string content = file->second, line = "200 OK", extra;
    if (behaviour_.ranges && r.range.starts_with("bytes=")) {
      const size_t from = std::stoul(r.range.substr(6)), all = content.size();
      if (from >= all)
        return status("416 Range Not Satisfiable", "Content-Range: bytes */" + std::to_string(all) + "\r\n");
      content = content.substr(from);
      line = "206 Partial Content";
      extra = "Content-Range: bytes " + std::to_string(from) + "-" + std::to_string(all - 1) + "/" +
              std::to_string(all) + "\r\n";
    }
    put(connection, "HTTP/1.1 " + line + "\r\nContent-Length: " + std::to_string(content.size()) + "\r\n" + extra +
                        "Connection: close\r\n\r\n");
    if (behaviour_.break_off < 0 || behaviour_.break_off >= static_cast<int64_t>(content.size())) {
      put(connection, content);
      return;
    }
    put(connection, content.substr(0, static_cast<size_t>(behaviour_.break_off)));
    char ignored;
    if (behaviour_.hold) recv(connection, &ignored, 1, 0);  // until the other side goes
  }

  Files files_;
  Behaviour behaviour_;
  int listener_;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::thread thread_;
};

// An address at which nothing listens.
inline std::string refused_url() { return HttpServer({}).url(); }

}  // namespace orrery::test
