@testable import CausalEngine
import CausalKernels
import Glibc
import Testing

@Suite struct CheckpointTests {
    private let folder: String

    init() throws {
        var template = Array("/tmp/causal-checkpoint-XXXXXX".utf8CString)
        folder = String(cString: try #require(mkdtemp(&template)))
    }

    private func networks() throws -> [Network] {
        var everything = Network(inputs: 5)
        let x = everything.site(from: everything.input)
        let left = everything.columns(1..<4, from: x)
        let h = try everything.activation(.gelu, from: everything.linear("a \"quoted\" näme\n", from: left, width: 3, edges: Edges(outputs: 3, inputs: 3, isThere: (0..<9).map { $0 % 2 == 0 })))
        let b = everything.bias("b", from: everything.cut(from: everything.linear("c", from: h, width: 3, hasBias: false)))
        everything.output = everything.concatenate([everything.sum([h, b]), left])
        return [try .mlp(inputs: 3, hidden: [16, 16], outputs: 2, activation: .softplus),
                try .mlp(inputs: 3, hidden: [4], outputs: 3, graph: Graph(adjacency: [0, 1, 1, 0, 0, 1, 0, 0, 0], count: 3)),
                try .unit(inputs: 2, outputs: 1),
                try .rewiring(inputs: 3, outputs: 3, graph: Graph(adjacency: [0, 1, 1, 0, 0, 1, 0, 0, 0], count: 3)), everything]
    }

    @Test func savesAndLoadsToTheBit() throws {
        var random = TestRandom(1)
        for network in try networks() {
            let model = try Model<Double>(network, seed: 3), path = "\(folder)/model"
            try Checkpoint.save(model, to: path, note: "αβ \"note\"")
            let loaded = try Checkpoint(path: path)
            guard case .double(let copy) = loaded.model else { Issue.record("another precision"); return }
            #expect(loaded.note == "αβ \"note\"")
            #expect(copy.network == network)
            let x = try random.matrix(7, network.inputWidth)
            #expect(try copy.predict(x) == model.predict(x))
        }
        let single = try Model<Float>(.mlp(inputs: 3, hidden: [4], outputs: 1), seed: 3)
        guard case .float(let copy) = try Checkpoint(decoding: Checkpoint.encode(single)).model else { Issue.record("another precision"); return }
        #expect(copy.parameters!.values == single.parameters!.values)
    }

    /// Any byte that is altered, and any length that is cut off, is noticed.
    @Test func alteredOrCutOffFilesAreRefused() throws {
        let bytes = try Checkpoint.encode(Model<Float>(.unit(inputs: 2, outputs: 1), seed: 0))
        for i in bytes.indices {
            for bit in [1, 0x80] as [UInt8] {
                var altered = bytes
                altered[i] ^= bit
                #expect(throws: EngineError.self, "byte \(i)") { try Checkpoint(decoding: altered) }
            }
            #expect(throws: EngineError.self, "\(i) bytes") { try Checkpoint(decoding: Array(bytes[..<i])) }
        }
        #expect(throws: EngineError.self) { try Checkpoint(decoding: bytes + [0]) }
    }

    @Test func whatIsNotACheckpointIsRefused() throws {
        func header(_ text: String, data: Int = 0) -> [UInt8] {
            withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian, Array.init) + Array(text.utf8) + [UInt8](repeating: 0, count: data)
        }
        let bad: [[UInt8]] = [
            [], Array("hello, world".utf8), [UInt8](repeating: 0xFF, count: 64), header("{}"), header("[]"), header("{\"a\":1}"),
            header("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", data: 4),
            header("{\"t\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}"),
            header("{\"t\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", data: 1),
            header("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}", data: 6),
            header(String(repeating: "[", count: 100_000)), header("{\"__metadata__\":{\"format\":\"pt\"}}"),
            header("{\"__metadata__\":{\"checksum\":\"0000000000000000\",\"format\":\"causal-engine 1\",\"network\":\"{\\\"nodes\\\":[{\\\"operation\\\":\\\"input\\\",\\\"width\\\":16777216},"
                + "{\\\"operation\\\":\\\"linear\\\",\\\"from\\\":0,\\\"bias\\\":true,\\\"width\\\":16777216,\\\"name\\\":\\\"w\\\"}],\\\"output\\\":1}\"}}"),
        ]
        for bytes in bad {
            #expect { try Checkpoint(decoding: bytes) } throws: { [.file, .memory].contains(($0 as? EngineError)?.kind) }
        }
        #expect(throws: EngineError(.file, "cannot read \(folder)/none: No such file or directory")) { try Checkpoint(path: "\(folder)/none") }
        #expect(throws: EngineError(.file, "cannot read \(folder): it is not a file")) { try Checkpoint(path: folder) }
        #expect(throws: EngineError(.file, "cannot write /nowhere/model: No such file or directory")) {
            try Checkpoint.save(Model<Float>(.unit(inputs: 1, outputs: 1), seed: 0), to: "/nowhere/model")
        }
    }

    /// A text of many short values is refused before it has become many long ones in memory.
    @Test func valuesByTheMillionAreRefused() throws {
        for filler in ["0,", "[],", #"{"width":1},"#] {
            let parts = String(repeating: filler, count: 1 << 20) + "0"
            #expect { try Network(text: #"{"nodes":[{"operation":"input","width":1},{"operation":"sum","width":1,"parts":["# + parts + #"]}],"output":1}"#) } throws: {
                ($0 as? EngineError)?.message.contains("more than 1048576 values") == true
            }
        }
    }

    /// The longest chain that a network may be: whatever can be made can be saved and loaded.
    @Test func theLargestNetworkComesBack() throws {
        func chain(_ nodes: Int) throws -> Network {
            var network = Network(inputs: 1)
            for k in 1..<nodes { _ = network.linear("layers.\(k)", from: k - 1, width: 1) }
            return network
        }
        let model = try Model<Float>(chain(1 << 16), seed: 0)
        guard case .float(let copy) = try Checkpoint(decoding: Checkpoint.encode(model)).model else { Issue.record("another precision"); return }
        #expect(copy.network == model.network)
        #expect { try Model<Float>(chain(1 << 16 + 1), seed: 0) } throws: { ($0 as? EngineError)?.kind == .memory }
        var sum = Network(inputs: 1)
        _ = sum.sum([Int](repeating: 0, count: 1 << 18 + 1))
        #expect { try Model<Float>(sum, seed: 0) } throws: { ($0 as? EngineError)?.kind == .memory }
    }

    @Test func headersMayGrowWithTheNumbers() throws {
        func length(_ header: Int, numbers: Int) throws(EngineError) -> Int {
            try SafeTensors.headerLength(withUnsafeBytes(of: UInt64(header).littleEndian, Array.init), fileSize: 8 + header + numbers)
        }
        #expect(try length(32 << 20, numbers: 0) == 32 << 20)
        #expect(throws: EngineError.self) { try length(32 << 20 + 1, numbers: 0) }
        // As the edges of a graph of 6000 variables do.
        #expect(try length(36_000_000, numbers: 4 * 36_000_000) == 36_000_000)
        let small = try Model<Float>(.unit(inputs: 1, outputs: 1), seed: 0)
        #expect { try Checkpoint.encode(small, note: String(repeating: "x", count: 33 << 20)) } throws: { ($0 as? EngineError)?.kind == .file }
    }

    /// A crash while saving leaves the old file: here the process may write no more than part of the new one.
    @Test func crashWhileSavingLeavesTheOldFile() throws {
        let path = "\(folder)/model"
        try Checkpoint.save(Model<Float>(.unit(inputs: 2, outputs: 1), seed: 0), to: path)
        let large = try Model<Double>(.mlp(inputs: 64, hidden: [64], outputs: 1), seed: 0)
        let fork = unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)
        let child = fork()
        if child == 0 {
            // The system kills a process that writes beyond its limit (SIGXFSZ), in the middle of the write.
            var none = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, nil)
            signal(SIGXFSZ, SIG_DFL)
            var limit = rlimit(rlim_cur: 20_000, rlim_max: 20_000)
            setrlimit(__rlimit_resource_t(1), &limit)
            try? Checkpoint.save(large, to: path)
            _exit(0)
        }
        var status: Int32 = 0
        #expect(waitpid(child, &status, 0) == child)
        #expect(status & 0x7F == SIGXFSZ)
        guard case .float(let old) = try Checkpoint(path: path).model else { Issue.record("the old file is lost"); return }
        #expect(old.network.inputWidth == 2)
    }

    @Test func json() throws {
        func parse(_ text: String) throws(EngineError) -> JSON { try JSON(parsing: Array(text.utf8)) }
        let text = #"{"a":[1,-2.5e3,true,false,null,"x\"\\\n\u0001é😀"],"b":{},"c":[]}"#
        let value = try parse(text)
        #expect(try parse(value.text) == value)
        #expect(value["a"]?.array?[1] == .number(-2500))
        #expect(try parse(#""\ud83d\ude00\/\b""#) == .string("😀/\u{8}"))
        #expect(try parse(" [ 1 , 2 ] ") == .array([.integer(1), .integer(2)]))
        for bad in ["", "{", "[1,]", "{\"a\":1,\"a\":2}", "01", "1.", "-", "+1", "nul", "\"\\x\"", "\"\\ud83d\"", "\"\u{1}\"", "1 2", "\"abc", "{a:1}", "1e999", "[1 2]", "\"\\u12g4\""] {
            #expect(throws: EngineError.self, "\(bad)") { try parse(bad) }
        }
        #expect(throws: EngineError.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
    }
}
