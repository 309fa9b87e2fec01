internal import Glibc

/// A vector register's worth of scalars. The kernels are written once over this protocol; both conformances are
/// concrete, so that arithmetic compiles to single instructions (generic SIMD code runs lane by lane).
public protocol Lanes: SIMD where Scalar: BinaryFloatingPoint {
    static func + (a: Self, b: Self) -> Self
    static func - (a: Self, b: Self) -> Self
    static func * (a: Self, b: Self) -> Self
    static func / (a: Self, b: Self) -> Self
    func squareRoot() -> Self
    /// `self + a * b`, rounded once where the processor can.
    func adding(_ a: Self, times b: Self) -> Self
    /// Zero where negative; NaN stays NaN.
    func rectified() -> Self
    /// `slope * self` where negative.
    func leaky(_ slope: Scalar) -> Self
    /// Itself where `y` is above zero or NaN, `slope` times itself elsewhere: the gradient of the two functions above at output `y`.
    func times(_ slope: Scalar, whereNotPositive y: Self) -> Self
    /// `values` where the mask byte is not zero.
    func replacing(with values: Self, whereSet mask: UnsafePointer<UInt8>) -> Self

    static func exp(_ x: Scalar) -> Scalar
    static func expm1(_ x: Scalar) -> Scalar
    static func log(_ x: Scalar) -> Scalar
    static func log1p(_ x: Scalar) -> Scalar
    static func tanh(_ x: Scalar) -> Scalar
    static func erf(_ x: Scalar) -> Scalar
}

extension Lanes {
    @inline(__always) static func load(_ p: UnsafePointer<Scalar>) -> Self {
        UnsafeRawPointer(p).loadUnaligned(as: Self.self)
    }
    @inline(__always) func store(to p: UnsafeMutablePointer<Scalar>) {
        UnsafeMutableRawPointer(p).storeBytes(of: self, as: Self.self)
    }
}

extension SIMD8: Lanes where Scalar == Float {
    @inline(__always) public func adding(_ a: Self, times b: Self) -> Self {
        #if CAUSAL_FMA
        return addingProduct(a, b)
        #else
        return self + a * b
        #endif
    }
    @inline(__always) public func rectified() -> Self { replacing(with: 0, where: self .< 0) }
    @inline(__always) public func leaky(_ slope: Float) -> Self { replacing(with: self * slope, where: self .< 0) }
    @inline(__always) public func times(_ slope: Float, whereNotPositive y: Self) -> Self { replacing(with: self * slope, where: y .<= 0) }
    @inline(__always) public func replacing(with values: Self, whereSet mask: UnsafePointer<UInt8>) -> Self {
        let bytes = UnsafeRawPointer(mask).loadUnaligned(as: SIMD8<UInt8>.self)
        return replacing(with: values, where: SIMD8<UInt32>(truncatingIfNeeded: bytes) .!= 0)
    }
    @inline(__always) public static func exp(_ x: Float) -> Float { Glibc.expf(x) }
    @inline(__always) public static func expm1(_ x: Float) -> Float { Glibc.expm1f(x) }
    @inline(__always) public static func log(_ x: Float) -> Float { Glibc.logf(x) }
    @inline(__always) public static func log1p(_ x: Float) -> Float { Glibc.log1pf(x) }
    @inline(__always) public static func tanh(_ x: Float) -> Float { Glibc.tanhf(x) }
    @inline(__always) public static func erf(_ x: Float) -> Float { Glibc.erff(x) }
}

extension SIMD4: Lanes where Scalar == Double {
    @inline(__always) public func adding(_ a: Self, times b: Self) -> Self {
        #if CAUSAL_FMA
        return addingProduct(a, b)
        #else
        return self + a * b
        #endif
    }
    @inline(__always) public func rectified() -> Self { replacing(with: 0, where: self .< 0) }
    @inline(__always) public func leaky(_ slope: Double) -> Self { replacing(with: self * slope, where: self .< 0) }
    @inline(__always) public func times(_ slope: Double, whereNotPositive y: Self) -> Self { replacing(with: self * slope, where: y .<= 0) }
    @inline(__always) public func replacing(with values: Self, whereSet mask: UnsafePointer<UInt8>) -> Self {
        let bytes = UnsafeRawPointer(mask).loadUnaligned(as: SIMD4<UInt8>.self)
        return replacing(with: values, where: SIMD4<UInt64>(truncatingIfNeeded: bytes) .!= 0)
    }
    @inline(__always) public static func exp(_ x: Double) -> Double { Glibc.exp(x) }
    @inline(__always) public static func expm1(_ x: Double) -> Double { Glibc.expm1(x) }
    @inline(__always) public static func log(_ x: Double) -> Double { Glibc.log(x) }
    @inline(__always) public static func log1p(_ x: Double) -> Double { Glibc.log1p(x) }
    @inline(__always) public static func tanh(_ x: Double) -> Double { Glibc.tanh(x) }
    @inline(__always) public static func erf(_ x: Double) -> Double { Glibc.erf(x) }
}
