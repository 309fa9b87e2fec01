@testable import CausalEngine
import CausalKernels
import Testing

/// Structural checkpoints from anyone.
@Suite struct StructuralCheckpointDamageTests {
    /// A small model with a mechanism of each kind of noise, as bytes.
    private static func bytes() throws -> [UInt8] {
        let description = try StructuralDescription(
            Graph(variables: ["z", "x", "y", "w"], edges: [("z", "x"), ("x", "y"), ("z", "y"), ("y", "w")]),
            kinds: ["z": .categorical(levels: 3), "w": .categorical(levels: 2)],
            mechanisms: ["x": .linear, "y": .flow(hidden: [2], pieces: 2), "w": .softmax(hidden: [2])])
        let rows: [[Double]] = (0..<12).map { row in
            let number = Double(row)
            return [Double(row % 3), 0.3 * number, number * number, Double(row % 2)]
        }
        var options = StructuralTrainerOptions()
        options.epochs = 1
        options.members = 2
        let trainer = try StructuralTrainer<Float>(description, on: StructuralDataset(Matrix(rows)), options: options)
        try trainer.run()
        return try StructuralCheckpoint.encode(trainer.model(), note: "note")
    }

    private static let checksumPlace = 8 + #"{"__metadata__":{"checksum":""#.utf8.count

    /// The same bytes with the checksum that belongs to them.
    private static func signed(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        guard result.count >= checksumPlace + 16 else { return result }
        result.replaceSubrange(checksumPlace..<checksumPlace + 16, with: [UInt8](repeating: UInt8(ascii: "0"), count: 16))
        var checksum = Checksum()
        result.withUnsafeBytes { checksum.add($0) }
        result.replaceSubrange(checksumPlace..<checksumPlace + 16, with: Array(checksum.text.utf8))
        return result
    }

    /// The same file with another header, its length and its checksum put right.
    private static func edited(_ bytes: [UInt8], _ change: (String) throws -> String) rethrows -> [UInt8] {
        let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
        var header = Array(try change(String(decoding: bytes[8..<8 + length], as: UTF8.self)).utf8)
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        return signed(withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header + bytes[(8 + length)...])
    }

    /// Asks everything of a model that was loaded. Whatever its numbers are, nothing may trap.
    private static func ask(_ checkpoint: StructuralCheckpoint) {
        func ask<Scalar: EngineScalar>(_ model: StructuralModel<Scalar>) {
            for member in 0..<model.members {
                guard let rows = try? model.sample(rows: 20, member: member, seed: 1) else { continue }
                _ = try? model.counterfactual(rows, under: Scenario().setting(model.variables[0].name, to: 1), member: member)
                _ = try? model.abduct(rows, member: member)
            }
        }
        switch checkpoint.model {
        case .float(let model): ask(model)
        case .double(let model): ask(model)
        }
    }

    @Test func anyAlteredByteAndAnyCutIsNoticed() throws {
        let bytes = try Self.bytes()
        for i in bytes.indices {
            var altered = bytes
            altered[i] ^= 1 << UInt8(i % 8)
            #expect(throws: EngineError.self, "byte \(i)") { try StructuralCheckpoint(decoding: altered) }
            if i % 5 == 0 { #expect(throws: EngineError.self, "\(i) bytes") { try StructuralCheckpoint(decoding: Array(bytes[..<i])) } }
        }
        #expect(throws: EngineError.self) { try StructuralCheckpoint(decoding: bytes + [0]) }
    }

    /// Bytes that somebody altered on purpose, and signed: they are refused, or give a model that answers something.
    @Test func alterationsThatAreSignedDoNoHarm() throws {
        let bytes = try Self.bytes()
        var random = TestRandom(5), loaded = 0
        #expect(Self.signed(bytes) == bytes)
        for _ in 0..<6_000 {
            var altered = bytes
            for _ in 0...random.index(below: 3) {
                let place = random.index(below: altered.count)
                switch random.index(below: 4) {
                case 0: altered[place] = UInt8(random.index(below: 256))
                case 1: altered[place] = Array("0123456789,[]{}\"\\-e. ".utf8)[random.index(below: 21)]
                case 2: altered.remove(at: place)
                default: altered.insert(altered[random.index(below: altered.count)], at: place)
                }
            }
            do {
                let checkpoint = try StructuralCheckpoint(decoding: Self.signed(altered))
                Self.ask(checkpoint)
                loaded += 1
            } catch {
                let kind = error.kind
                #expect(kind == .file || kind == .memory)
            }
        }
        #expect(loaded > 100)       // numbers are altered too, which nobody can tell
    }

    /// A file that is valid but for one thing, which the error names.
    @Test(arguments: [
        (#"\"parents\":[\"\","#, #"\"parents\":[\"2\","#, "cycle"),
        (#"\"parents\":[\"\","#, #"\"parents\":[\"0\","#, "cycle"),
        (#"\"parents\":[\"\","#, #"\"parents\":[\"9\","#, "does not exist"),
        (#"\"parents\":[\"\","#, #"\"parents\":[\"-1\","#, "parents"),
        (#"\"parents\":[\"\","#, #"\"parents\":[\"\",\"\","#, "expected 4"),
        (#""0 1""#, #""0 0""#, "twice"),
        (#"\"confounded\":[\"\","#, #"\"confounded\":[\"0\","#, "itself"),
        (#"\"z\",\"x\""#, #"\"x\",\"x\""#, "given twice"),
        (#"\"kind\":\"flow\""#, #"\"kind\":\"softmax\""#, "expected auto, linear, additive"),
        (#"\"kind\":\"flow\""#, #"\"kind\":\"magic\""#, "none of auto"),
        (#"\"kind\":\"flow\""#, #"\"kind\":\"auto\""#, "auto"),
        (#"\"kind\":\"flow\""#, #"\"kind\":\"linear\""#, "tensors"),
        (#"\"pieces\":2"#, #"\"pieces\":1000"#, "pieces"),
        (#"\"pieces\":2"#, #"\"pieces\":3"#, "shape"),
        (#"\"hidden\":[2]"#, #"\"hidden\":[16777216]"#, "shape"),
        (#"\"hidden\":[2]"#, #"\"hidden\":[9223372036854775807]"#, "too large"),
        (#"\"hidden\":[2]"#, #"\"hidden\":[-1]"#, "at least 1"),
        (#"\"hidden\":[2]"#, #"\"hidden\":[2,2]"#, "tensors"),
        (#"\"activation\":\"gelu\""#, #"\"activation\":\"wavy\""#, "activation"),
        (#"\"levels\":3"#, #"\"levels\":1"#, "levels"),
        (#"\"levels\":3"#, #"\"levels\":99999999999"#, "levels"),
        (#"\"levels\":3"#, #"\"levels\":2"#, "expected"),
        (#"\"scale\":1.0"#, #"\"scale\":0.0"#, "above 0"),
        (#"\"scale\":1.0"#, #"\"scale\":-1.0"#, "above 0"),
        (#"\"scale\":1.0"#, #"\"scale\":1e999"#, "too large"),
        (#"\"scale\":1.0"#, #"\"scale\":NaN"#, "JSON"),
        (#"\"mean\":0.0"#, #"\"mean\":null"#, "mean"),
        (#""members":"2""#, #""members":"1000""#, "tensors"),
        (#""members":"2""#, #""members":"0""#, "expected 1 to 1000"),
        (#""members":"2""#, #""members":"99999999999999999999""#, "expected 1 to 1000"),
        (#""dtype":"float32""#, #""dtype":"float64""#, "expected"),
        (#""dtype":"float32""#, #""dtype":"int8""#, "int8"),
        (#""shape":[12]"#, #""shape":[4,3]"#, "shape"),
        ("members.0.x.noise", "members.0.w.noise", "expected members.0.x.noise"),
        ("members.0.x.noise", "members.0.z.noise", "twice"),
        (#""graph":""#, #""no graph":""#, "no graph"),
    ] as [(String, String, String)])
    func oneWrongThingIsNamed(_ place: String, _ replacement: String, _ reason: String) throws {
        let altered = try Self.edited(Self.bytes()) { header in
            // The metadata are texts in a text.
            let isInside = header.firstRange(of: place) == nil
            func quoted(_ text: String) -> String { isInside ? text.replacing("\"", with: "\\\"") : text }
            var header = header
            header.replaceSubrange(try #require(header.firstRange(of: quoted(place)), "\(place)"), with: quoted(replacement))
            return header
        }
        let error = #expect(throws: EngineError.self) { try StructuralCheckpoint(decoding: altered) }
        #expect(error?.kind == .file || error?.kind == .memory)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    /// A level that there is not is refused, since the noise of a root is its value.
    @Test func rootsHaveValuesThatTheyMayHave() throws {
        var bytes = try Self.bytes()
        let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
        withUnsafeBytes(of: 7.0) { bytes.replaceSubrange(8 + length..<16 + length, with: $0) }
        let error = #expect(throws: EngineError.self) { try StructuralCheckpoint(decoding: Self.signed(bytes)) }
        #expect(error?.message.contains("7.0 in row 0, expected a whole number from 0 to 2") == true)
    }
}
