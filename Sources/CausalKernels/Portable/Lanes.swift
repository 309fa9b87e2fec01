/// A vector register's worth of scalars. The kernels are written once over this protocol; its conformances (`Registers.swift`) are
/// concrete, so that arithmetic compiles to single instructions (generic SIMD code runs lane by lane).
public protocol Lanes: SIMD, BitwiseCopyable where Scalar: BinaryFloatingPoint {
    static func load(_ p: UnsafePointer<Scalar>) -> Self
    func store(to p: UnsafeMutablePointer<Scalar>)
    static func + (a: Self, b: Self) -> Self
    static func - (a: Self, b: Self) -> Self
    static func * (a: Self, b: Self) -> Self
    static func / (a: Self, b: Self) -> Self
    func squareRoot() -> Self
    /// `self + a * b`, rounded once where the processor can.
    func adding(_ a: Self, times b: Self) -> Self
    /// `other` where `a` is less than `b`, itself elsewhere, also where one of them is NaN.
    func replacing(with other: Self, whereLess a: Self, than b: Self) -> Self
    /// `other` where `a` is zero or less, itself elsewhere, also where it is NaN.
    func replacing(with other: Self, whereNotPositive a: Self) -> Self
    /// `other` where `a` is `b`, itself elsewhere.
    func replacing(with other: Self, where a: Self, is b: Self) -> Self
    /// Times two to the power that the low bits of `shifted` hold, a whole number; the result is finite.
    func timesTwo(toThe shifted: Self) -> Self
    /// The sum of the lanes: of the halves, and so on.
    func total() -> Scalar
    /// The totals of as many vectors as there are lanes, which lie one after the other.
    static func totals(_ vectors: UnsafePointer<Scalar>, into totals: UnsafeMutablePointer<Scalar>)
    /// The transpose of a square of as many rows as there are lanes, every `stride` numbers.
    static func transpose(_ rows: UnsafePointer<Scalar>, _ stride: Int, into columns: UnsafeMutablePointer<Scalar>, _ targetStride: Int)
    /// The squares of the lanes, in double precision, each added to one of eight sums.
    func squares(addedTo sums: SIMD8<Double>) -> SIMD8<Double>

    // MARK: Functions (`Functions.swift`)

    /// `exp` of each lane to within two units in the last place, without a call; beyond the range of finite results it stays at the
    /// last one.
    func exponential() -> Self
    /// `erf` of each lane to within two units in the last place of 1.
    func errorFunction() -> Self
    /// `tanh` of each lane to within two units in the last place.
    func hyperbolicTangent() -> Self

    static func exp(_ x: Scalar) -> Scalar
    static func expm1(_ x: Scalar) -> Scalar
    static func log(_ x: Scalar) -> Scalar
    static func log1p(_ x: Scalar) -> Scalar
}

extension Lanes {
    /// The first lanes; the others are zero.
    @inline(__always) static func load(_ p: UnsafePointer<Scalar>, first count: Int) -> Self {
        var result = Self(repeating: 0)
        for lane in 0..<count { result[lane] = p[lane] }
        return result
    }
    @inline(__always) func store(to p: UnsafeMutablePointer<Scalar>, first count: Int) {
        for lane in 0..<count { p[lane] = self[lane] }
    }

    /// Zero where negative; NaN stays NaN.
    @inline(__always) func rectified() -> Self { replacing(with: Self(repeating: 0), whereLess: self, than: Self(repeating: 0)) }
    /// `slope * self` where negative.
    @inline(__always) func leaky(_ slope: Scalar) -> Self { replacing(with: self * Self(repeating: slope), whereLess: self, than: Self(repeating: 0)) }
    /// Itself where `y` is above zero or NaN, `slope` times itself elsewhere: the gradient of the two functions above at output `y`.
    @inline(__always) func times(_ slope: Scalar, whereNotPositive y: Self) -> Self { replacing(with: self * Self(repeating: slope), whereNotPositive: y) }
    /// Zero where `y` is zero.
    @inline(__always) func zero(where y: Self) -> Self { replacing(with: Self(repeating: 0), where: y, is: Self(repeating: 0)) }
    /// Zero where `y` is infinite.
    @inline(__always) func zero(whereInfinite y: Self) -> Self {
        replacing(with: Self(repeating: 0), where: y, is: Self(repeating: .infinity))
            .replacing(with: Self(repeating: 0), where: y, is: Self(repeating: -.infinity))
    }
    /// Zero where closer to zero than `bound`; NaN stays NaN.
    @inline(__always) func zero(within bound: Self) -> Self {
        let zero = Self(repeating: 0)
        return replacing(with: zero, whereLess: self, than: bound) + replacing(with: zero, whereLess: zero - bound, than: self)
    }
    /// No less than `low` and no more than `high`.
    @inline(__always) func between(_ low: Scalar, _ high: Scalar) -> Self {
        replacing(with: Self(repeating: high), whereLess: Self(repeating: high), than: self)
            .replacing(with: Self(repeating: low), whereLess: self, than: Self(repeating: low))
    }

    /// Lane by lane, with calls.
    @inline(__always) func mapped(_ f: (Scalar) -> Scalar) -> Self {
        var result = self
        for lane in 0..<Self.scalarCount { result[lane] = f(self[lane]) }
        return result
    }
}
