# Mail through a real Postfix, started here on loopback: every mechanism, both ways to TLS, every octet.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/lib';
use RealServers::Postfix;
use RealServers::Suite;

RealServers::Suite::run('RealServers::Postfix');
