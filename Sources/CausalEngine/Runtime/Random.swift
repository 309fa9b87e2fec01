internal import Glibc

/// A stream of random numbers that is a pure function of (seed, purpose, index): Philox4x32-10 (Salmon et al. 2011, "Parallel
/// random numbers: as easy as 1, 2, 3"). Streams are independent of each other and of the order in which they are drawn, so
/// neither threads nor the order of calls change a result.
public struct Random: RandomNumberGenerator, Sendable {
    /// What a stream is for. Two purposes never share numbers.
    public enum Purpose: UInt32, Sendable {
        /// Initial parameters; the index is the tensor.
        case initialization = 1
        /// The order of rows; the index is the epoch.
        case shuffling = 2
        /// The noise of structural models; the index is the row.
        case noise = 3
        /// Which rows a member of an ensemble learns from; the index is the member.
        case resampling = 4
        /// What an observed category leaves open about its noise; the index is the row.
        case abduction = 5
        /// The moves of a search; the index is the search.
        case searching = 6
    }

    private let key: (UInt32, UInt32)
    private let stream: (UInt32, UInt32)
    private var block: UInt64 = 0
    private var waiting: UInt64?

    /// Stream number `index` (below 2^32) for one purpose.
    public init(seed: UInt64, purpose: Purpose, index: Int) {
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        stream = (purpose.rawValue, UInt32(truncatingIfNeeded: index))
    }

    public mutating func next() -> UInt64 {
        if let second = waiting {
            waiting = nil
            return second
        }
        let words = Random.philox(counter: (UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32), stream.0, stream.1), key: key)
        block += 1
        waiting = UInt64(words.2) | UInt64(words.3) << 32
        return UInt64(words.0) | UInt64(words.1) << 32
    }

    /// Uniform on [0, 1), 53 bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform on (0, 1): never an end, so that logarithms are finite.
    public mutating func openUniform() -> Double { Random.openUniform(next()) }
    static func openUniform(_ word: UInt64) -> Double { (Double(word >> 12) + 0.5) * 0x1p-52 }

    /// Standard normal (Box and Muller 1958): a radius times the cosine of an angle.
    public mutating func gaussian() -> Double { Random.radius(next()) * Random.cosine(next()) }
    static func radius(_ word: UInt64) -> Double { (-2 * log(openUniform(word))).squareRoot() }
    static func cosine(_ word: UInt64) -> Double { cos(2 * Double.pi * openUniform(word)) }

    /// Uniform on 0 ..< bound, without bias (Lemire 2019, "Fast random integer generation in an interval").
    public mutating func index(below bound: Int) -> Int {
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }

    /// A random order of the elements (Fisher and Yates).
    public mutating func shuffle(_ elements: inout [Int]) {
        var i = elements.count - 1
        while i > 0 {
            elements.swapAt(i, index(below: i + 1))
            i -= 1
        }
    }

    static func philox(counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)) -> (UInt32, UInt32, UInt32, UInt32) {
        var c = counter, k = key
        for _ in 0..<10 {
            let a = UInt64(0xD251_1F53) * UInt64(c.0), b = UInt64(0xCD9E_8D57) * UInt64(c.2)
            c = (UInt32(b >> 32) ^ c.1 ^ k.0, UInt32(truncatingIfNeeded: b),
                 UInt32(a >> 32) ^ c.3 ^ k.1, UInt32(truncatingIfNeeded: a))
            k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
        }
        return c
    }
}
