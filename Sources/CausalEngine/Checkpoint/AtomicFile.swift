internal import Glibc

/// Files that are there as a whole or not at all.
enum AtomicFile {
    /// Writes `parts`, one after the other, so that at every moment the path names the old file or the new one: temporary file, fsync,
    /// rename, fsync of the folder.
    ///
    /// - Throws: `.file` where the system refuses; the old file is still there.
    static func write(_ parts: [UnsafeRawBufferPointer], to path: String) throws(EngineError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).tmp"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw failure("write", path) }
        do throws(EngineError) {
            for part in parts { try write(part, to: file, path) }
            guard fsync(file) == 0 else { throw failure("write", path) }
            guard rename(temporary, path) == 0 else { throw failure("write", path) }
            close(file)
        } catch {
            close(file)
            unlink(temporary)
            throw error
        }
        // The new name lasts once the folder is on the disk; some file systems have no such notion, which is no error.
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32, _ path: String) throws(EngineError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(file, part.baseAddress, part.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// Opens a file for reading, hands over its size and a function that reads its next bytes, and closes it.
    ///
    /// - Throws: `.file` where it is not there, cannot be read, ends too early, or is a folder or a pipe.
    static func read<Result>(_ path: String, _ body: (_ size: Int, _ next: @escaping (UnsafeMutableRawBufferPointer) throws(EngineError) -> Void)
        throws(EngineError) -> Result) throws(EngineError) -> Result {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw failure("read", path) }
        defer { close(file) }
        var information = stat()
        guard fstat(file, &information) == 0 else { throw failure("read", path) }
        guard information.st_mode & S_IFMT == S_IFREG else { throw EngineError(.file, "cannot read \(path): it is not a file") }
        return try body(Int(information.st_size)) { target throws(EngineError) in
            var done = 0
            while done < target.count {
                let count = Glibc.read(file, target.baseAddress! + done, target.count - done)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw failure("read", path) }
                guard count > 0 else { throw EngineError(.file, "cannot read \(path): it became shorter meanwhile") }
                done += count
            }
        }
    }

    private static func failure(_ verb: String, _ path: String) -> EngineError {
        EngineError(.file, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
